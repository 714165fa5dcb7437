// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/temporary_folder.h"

namespace convoy::tests {

/// The program `convoy` with arguments, running in `folder`, its outputs kept in files there.
/// Killed with the object.
class Child {
 public:
  /// `environment`: "NAME=value", on top of ours.
  Child(const TemporaryFolder& folder, const std::vector<std::string>& arguments,
        const std::vector<std::string>& environment = {});
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void signal(int number) const;
  /// Exit code, or 128 + signal; nothing when it still runs after `timeout`.
  [[nodiscard]] std::optional<int> wait(std::chrono::seconds timeout = std::chrono::seconds(120));
  /// The most memory that it had; known when wait() has given its exit code.
  [[nodiscard]] std::int64_t peak_bytes() const { return peak_bytes_; }
  [[nodiscard]] std::string output() const;
  [[nodiscard]] std::string errors() const;

 private:
  pid_t pid_;
  std::filesystem::path output_;
  std::filesystem::path errors_;
  std::optional<int> code_;
  std::int64_t peak_bytes_ = 0;
};

/// Ranks of the job that has `mark` (a unique path) on its command line: rank -> process id.
[[nodiscard]] std::vector<std::pair<int, pid_t>> find_ranks(const std::string& mark);

/// All processes with `mark` on their command line.
[[nodiscard]] std::vector<pid_t> find_processes(const std::string& mark);

/// Waits until `condition` holds; false after `timeout`.
[[nodiscard]] bool eventually(const std::function<bool()>& condition,
                              std::chrono::seconds timeout = std::chrono::seconds(20));

}  // namespace convoy::tests
