// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
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

  /// What the last line of kind "evaluation" that was there and stays is about: its version, or its
  /// step where it has none. A run that is resumed where it ended evaluates the same model again.
  [[nodiscard]] std::optional<std::int64_t> evaluated_before() const { return evaluated_before_; }

 private:
  /// Keeps the complete lines until `last_step`. A killed run may have left half a line.
  void cut_lines(const std::filesystem::path& path, std::int64_t last_step,
                 std::int64_t last_version);

  std::optional<std::int64_t> evaluated_before_;
  std::unique_ptr<internal::AppendFile> file_;
};

}  // namespace convoy::trainer
