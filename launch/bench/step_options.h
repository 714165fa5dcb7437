// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "launch/bench/step.h"

namespace CLI {
class App;
}

namespace convoy::launch {

/// What the command line says of steps to measure.
class StepOptions {
 public:
  explicit StepOptions(std::int64_t steps) { bench_.steps = steps; }

  void add_to(CLI::App& app);
  /// @param benchmark  its name, for messages. @throws ConfigError.
  [[nodiscard]] const StepBench& settle(const std::string& benchmark);
  [[nodiscard]] const StepBench& bench() const { return bench_; }

 private:
  StepBench bench_;
  std::string model_;
  std::int64_t batch_ = 0;
  std::string family_;
  std::string compute_ = "real";
  std::vector<std::string> sets_;
};

}  // namespace convoy::launch
