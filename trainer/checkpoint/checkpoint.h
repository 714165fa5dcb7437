// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "trainer/checkpoint/checkpoint_config.h"
#include "trainer/named_tensor.h"

namespace convoy::trainer {

/// All that a run needs to go on. Random streams are functions of (seed, epoch, step, rank,
/// sample), so the position in the data is the state of every generator too.
struct TrainingState {
  std::int64_t step = 0;   ///< optimizer steps done
  std::int64_t epoch = 0;  ///< of the next step
  std::int64_t batch = 0;  ///< within the epoch, of the next step
  /// The same on all ranks; rank 0 writes it.
  std::vector<NamedTensor> parameters;
  std::vector<NamedTensor> buffers;
  std::vector<NamedTensor> optimizer;
  /// Of this rank alone; every rank writes its own.
  std::vector<NamedTensor> rank_tensors;
  /// Counters that summaries add up over a resume (samples seen, bytes sent, seconds), by name. Of
  /// this rank alone.
  std::map<std::string, double> counters;
};

/// What a checkpoint says of itself (its manifest).
struct CheckpointInfo {
  std::filesystem::path path;
  std::int64_t step = 0;
  int ranks = 0;
  std::string identity;  ///< of the job that wrote it
};

/// The checkpoints of one run: `folder`/step-<n>/ with rank-<r>.pt from every rank, model.pt and
/// optimizer.pt from rank 0 and, last, manifest.json, which lists each file's size and hash. Each
/// file is written to a temporary, fsynced and renamed; a folder without its manifest is no
/// checkpoint. Works with one shared file system and without: rank 0's host then holds the
/// replicated files and the manifest, every other host the files of its ranks under the same path.
class CheckpointStore {
 public:
  /// `identity` names the model and data (a hash of their job sections); a checkpoint of another
  /// identity is refused. Borrows `communicator`.
  CheckpointStore(comm::Communicator& communicator, std::filesystem::path folder,
                  CheckpointConfig config, std::string identity);

  /// Writes a checkpoint and removes those beyond `keep`. Collective. If any rank cannot write, all
  /// ranks throw std::runtime_error with that rank's reason (disk full, ...) and older checkpoints
  /// stay.
  void save(const TrainingState& state);

  /// Loads `path` (a checkpoint folder), or the newest whole checkpoint of the folder. Collective.
  /// Written by the same number of ranks, it restores every rank's own part; by another number,
  /// rank_tensors are left empty and counters come back summed on rank 0 and zero elsewhere.
  /// @returns nothing where the folder holds no checkpoint at all.
  /// @throws ConfigError on all ranks when it is torn (which file, expected and found size),
  /// foreign
  ///         (other model, not convoy's) or of a newer format; the message names the newest whole
  ///         one.
  [[nodiscard]] std::optional<TrainingState> load(const std::filesystem::path& path = {});

 private:
  comm::Communicator& communicator_;
  std::filesystem::path folder_;
  CheckpointConfig config_;
  std::string identity_;
};

/// Whole checkpoints below `folder`, oldest first. Local.
[[nodiscard]] std::vector<CheckpointInfo> list_checkpoints(const std::filesystem::path& folder);

}  // namespace convoy::trainer
