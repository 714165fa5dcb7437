// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "trainer/metrics/jsonl_file.h"
#include "trainer/metrics/layer_times.h"

namespace convoy::trainer {

/// layers.jsonl: a line for each layer and interval.
class LayerLog {
 public:
  /// As JsonlFile. @throws std::runtime_error that names the path and the reason.
  LayerLog(const std::filesystem::path& path, std::int64_t resume_step);

  /// @param step  steps done. @param steps  that `sums` is over; lines have means.
  /// @param buckets  layers in the order in which they are sent. @param bytes  by layer and step.
  void write(std::int64_t step, std::int64_t steps,
             const std::vector<std::vector<std::string>>& buckets,
             const std::map<std::string, double>& bytes, const LayerTimes& sums);

 private:
  JsonlFile file_;
};

}  // namespace convoy::trainer
