// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>

namespace convoy::scheduler::journal {

namespace internal {
class DurableFile;
}

/// A folder that this process alone changes, as long as this lives: a file "lock" in it, locked.
/// The lock goes with the process, however it ends.
class FolderLock {
 public:
  /// Makes the folder with mode 0700 where there is none. @throws ConfigError where another process
  /// has it; StorageError.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  std::unique_ptr<internal::DurableFile> file_;
};

}  // namespace convoy::scheduler::journal
