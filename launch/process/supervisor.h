// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace convoy::launch {

struct SuperviseOptions {
  std::chrono::milliseconds grace{60'000};  ///< between a stop and SIGTERM; see StopPolicy
  /// A file that the ranks remove when they understand SIGUSR1.
  std::filesystem::path ready_file;
  /// False for programs that have nothing to save: they get SIGTERM at once.
  bool can_checkpoint = true;
};

/// Runs mpirun in a process group of its own (a Ctrl-C reaches only us), standard input empty, and
/// ended by the system when we die. SIGINT, SIGTERM and SIGHUP that come to us go through a
/// StopPolicy. Call from the main thread.
/// @returns mpirun's exit code; 128 + the first signal where it had to be ended by SIGTERM.
/// @throws std::runtime_error where it cannot be started.
[[nodiscard]] int supervise(const std::vector<std::string>& arguments,
                            const SuperviseOptions& options);

}  // namespace convoy::launch
