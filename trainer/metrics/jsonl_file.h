// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <string_view>

namespace convoy::trainer {

namespace internal {
class AppendFile;
}

/// A file of JSON objects, one a line, each with a "step"; every line is flushed.
class JsonlFile {
 public:
  /// Cuts off the lines after `last_step` (a resumed run went back there), and half a line that a
  /// killed run has left, and appends from there. So are lines with a "version" after
  /// `last_version`.
  /// @throws std::runtime_error that names the path and the reason; append() too.
  JsonlFile(const std::filesystem::path& path, std::int64_t last_step,
            std::int64_t last_version = std::numeric_limits<std::int64_t>::max());
  ~JsonlFile();
  /// @param json  an object without line breaks.
  void append(std::string_view json);

 private:
  std::unique_ptr<internal::AppendFile> file_;
};

}  // namespace convoy::trainer
