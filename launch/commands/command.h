// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "launch/process/process.h"

namespace CLI {
class App;
}

namespace convoy::launch {

/// What `convoy launch` must know of a command before it starts the ranks.
struct Preparation {
  std::int64_t threads_per_rank = 1;
  /// SIGUSR1 makes it write a checkpoint and end.
  bool checkpoints_on_stop = false;
};

/// One subcommand: its options, and what it does. Made once for each run of the program.
class Command {
 public:
  virtual ~Command() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual std::string summary() const = 0;
  /// Binds options to members.
  virtual void add_options(CLI::App& app) = 0;
  /// Words after `--`, which only launch takes.
  virtual void set_words_after_dashes(std::vector<std::string> words);
  /// Checks everything that can be refused before `ranks` ranks start. @throws ConfigError.
  [[nodiscard]] virtual Preparation prepare(int ranks) = 0;
  /// Does it. @returns the exit code.
  [[nodiscard]] virtual int run(Process& process) = 0;
};

[[nodiscard]] std::unique_ptr<Command> make_launch_command();
[[nodiscard]] std::unique_ptr<Command> make_train_command();
[[nodiscard]] std::unique_ptr<Command> make_federate_command();
[[nodiscard]] std::unique_ptr<Command> make_evaluate_command();
[[nodiscard]] std::unique_ptr<Command> make_plan_command();
[[nodiscard]] std::unique_ptr<Command> make_privacy_command();
[[nodiscard]] std::unique_ptr<Command> make_simulate_command();
[[nodiscard]] std::unique_ptr<Command> make_serve_command();
[[nodiscard]] std::unique_ptr<Command> make_join_command();
[[nodiscard]] std::unique_ptr<Command> make_status_command();
[[nodiscard]] std::unique_ptr<Command> make_operate_command();
[[nodiscard]] std::unique_ptr<Command> make_audit_command();
[[nodiscard]] std::unique_ptr<Command> make_bench_command();
[[nodiscard]] std::unique_ptr<Command> make_certs_command();
[[nodiscard]] std::unique_ptr<Command> make_info_command();

/// The command that `words` (without the program's name) ask for, with its options read; nullptr
/// where they ask for help or the version, which `help` then holds.
/// @throws ConfigError for anything that the command line may not hold.
[[nodiscard]] std::unique_ptr<Command> parse_command_line(std::vector<std::string> words,
                                                          std::string& help);

}  // namespace convoy::launch
