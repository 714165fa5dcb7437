// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace convoy::launch {

/// Names the file by which rank 0 tells `convoy launch` that all ranks have their signal handlers.
inline constexpr const char* kReadyVariable = "CONVOY_READY_FILE";

/// A file that is there until the ranks are ready, and is gone at the latest with this object.
class ReadyFile {
 public:
  /// @throws std::runtime_error where the folder for temporary files cannot be written.
  ReadyFile();
  ~ReadyFile();
  ReadyFile(const ReadyFile&) = delete;
  ReadyFile& operator=(const ReadyFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Removes the file, if `convoy launch` has named one. Called by rank 0 once all are ready.
void announce_ready();

}  // namespace convoy::launch
