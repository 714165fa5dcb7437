// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "compress/reduce/reducer.h"
#include "trainer/metrics/jsonl_file.h"
#include "trainer/metrics/metrics.h"

namespace convoy::trainer {

/// What a run tells of compression: plans.jsonl, shadow.jsonl, and the bytes of gradients.
class CompressionLog {
 public:
  /// Rank 0: plans and shadow results go to files in `run_dir`, cut back to `resume_step`.
  void open(const std::filesystem::path& run_dir, std::int64_t resume_step, bool shadow);
  /// Between steps. @param step  steps done.
  void after_step(compress::Reducer& reducer, std::int64_t step);

  /// Dense bytes of this rank over its sent ones, since the run began; 1 where nothing was sent.
  [[nodiscard]] double ratio() const;
  /// The same over all ranks. Collective.
  [[nodiscard]] double ratio_of_all(comm::Communicator& communicator) const;
  void fill(IntervalMetrics& metrics) const;

  void save(std::map<std::string, double>& counters) const;
  void restore(std::map<std::string, double>& counters);

 private:
  void write_shadow(const std::vector<compress::ShadowRow>& rows, std::int64_t step);

  compress::Traffic now_;           ///< since this part of the run began
  std::uint64_t dense_before_ = 0;  ///< in the parts before a resume
  std::uint64_t sent_before_ = 0;
  std::unique_ptr<JsonlFile> plans_;  ///< rank 0's
  std::unique_ptr<JsonlFile> shadow_;
};

}  // namespace convoy::trainer
