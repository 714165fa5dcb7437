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

/// Float tensors of TrainingState::rank_tensors whose names begin so stand for a mean over ranks:
/// another number of ranks than wrote them each get the mean over the old ones. Of all others they
/// get the old rank 0's.
inline constexpr const char* kMeanPrefix = "mean/";

/// All that a run needs to go on. Random streams are functions of (seed, epoch, step, rank,
/// sample), so the position in the data is the state of every generator too.
struct TrainingState {
  std::int64_t step = 0;      ///< optimizer steps done
  std::int64_t epoch = 0;     ///< of the next step
  std::int64_t position = 0;  ///< samples of the epoch that the steps before it have taken
  /// The same on all ranks; rank 0 writes it.
  std::vector<NamedTensor> parameters;
  std::vector<NamedTensor> buffers;
  std::vector<NamedTensor> optimizer;
  /// Of this rank alone; every rank writes its own. See kMeanPrefix.
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

/// The checkpoints of one run: `folder`/step-<n>/ with rank-<r>.pt from every rank, model.pt
/// (parameters and buffers, a state dictionary) and optimizer.pt from rank 0 and, last,
/// manifest.json, which lists each file's size and hash. Each file is written to a temporary,
/// fsynced and renamed; a folder without its manifest is no checkpoint. A step that is saved again
/// gets files of new names (model.1.pt, ...) and its old checkpoint stays whole until the new
/// manifest replaces the old one.
/// Works with one shared file system and without: rank 0's host then holds the replicated files and
/// the manifest, every other host the files of its ranks under the same path; loading sends what
/// rank 0 has to the others.
class CheckpointStore {
 public:
  /// `identity` names the model and data (a hash of their job sections); a checkpoint of another
  /// identity is refused. Borrows `communicator`.
  CheckpointStore(comm::Communicator& communicator, std::filesystem::path folder,
                  CheckpointConfig config, std::string identity);

  /// Writes a checkpoint, then removes those beyond the `keep` newest, those of later steps (this
  /// run has gone back behind them) and what killed runs left behind. Collective; returns when all
  /// is on disk. Needs memory for one file at a time beside the state.
  /// @throws std::runtime_error on all ranks if any cannot write, naming that rank and its reason
  ///         (disk full, ...); older checkpoints stay. CommError.
  void save(const TrainingState& state);

  /// Loads `path` (a checkpoint folder), or the newest whole checkpoint of the folder; torn ones
  /// that are newer are passed by with a warning in the log. Collective. Written by the same number
  /// of ranks, it restores every rank's own part; by another number, rank_tensors are means and
  /// rank 0's (kMeanPrefix; rank 0 must see all old rank files, else the means are left out, with a
  /// warning), and counters come back summed on rank 0 and zero elsewhere.
  /// @returns nothing where the folder holds no checkpoint at all.
  /// @throws ConfigError on all ranks when it is torn (which file, expected and found size),
  /// foreign
  ///         (other identity, not convoy's) or of a newer format; the message names the newest
  ///         whole one. CommError.
  [[nodiscard]] std::optional<TrainingState> load(const std::filesystem::path& path = {});

 private:
  comm::Communicator& communicator_;
  std::filesystem::path folder_;
  CheckpointConfig config_;
  std::string identity_;
};

/// Whole checkpoints below `folder`, oldest first: manifest there, and every file that rank 0's
/// host should have there with the right size (contents are not read). Local.
[[nodiscard]] std::vector<CheckpointInfo> list_checkpoints(const std::filesystem::path& folder);

}  // namespace convoy::trainer
