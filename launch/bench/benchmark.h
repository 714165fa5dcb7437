// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "comm/communicator.h"
#include "launch/process/process.h"
#include "trainer/job.h"

namespace CLI {
class App;
}

namespace convoy::launch {

/// One thing that `convoy bench` measures: its options, and what it prints.
class Benchmark {
 public:
  virtual ~Benchmark() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual std::string summary() const = 0;
  /// Binds options to members.
  virtual void add_options(CLI::App& app) = 0;
  /// Checks the options for so many ranks. @returns what the ranks run on: [run], [communication].
  /// @throws ConfigError.
  [[nodiscard]] virtual trainer::Job settle(int ranks) = 0;
  /// Measures; rank 0 prints. Collective.
  virtual void run(Process& process, comm::Communicator& communicator) = 0;
};

[[nodiscard]] std::unique_ptr<Benchmark> make_all_reduce_benchmark();
[[nodiscard]] std::unique_ptr<Benchmark> make_step_benchmark();
[[nodiscard]] std::unique_ptr<Benchmark> make_scaling_benchmark();

}  // namespace convoy::launch
