// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace convoy::trainer {

/// events.jsonl of a federation: what happened and what was decided, a line each, flushed. See
/// scheduler/event_log.h.
class EventsFile {
 public:
  /// Keeps the first `keep_bytes` of the file (a resumed run went back there) and appends.
  /// @throws std::runtime_error that names the path; append() too.
  EventsFile(const std::filesystem::path& path, std::uint64_t keep_bytes);
  void append(std::string_view line);
  /// What was appended survives a power failure from here on: before a checkpoint says bytes().
  void sync() const;
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  std::filesystem::path path_;
  std::ofstream file_;
  std::uint64_t bytes_;
};

}  // namespace convoy::trainer
