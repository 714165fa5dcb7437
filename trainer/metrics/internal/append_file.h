// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <filesystem>
#include <string_view>

namespace convoy::trainer::internal {

/// A file that grows by whole records, each handed to the system at once, so that a killed run
/// leaves all but at most its last one whole.
class AppendFile {
 public:
  /// Opens for appending, or makes it. @throws std::runtime_error that names path and reason.
  explicit AppendFile(std::filesystem::path path);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  /// @throws std::runtime_error that names path and reason (disk full, ...).
  void append(std::string_view record);

 private:
  std::filesystem::path path_;
  std::FILE* file_;
};

}  // namespace convoy::trainer::internal
