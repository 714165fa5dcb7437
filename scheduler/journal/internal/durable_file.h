// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <utility>
#include <vector>

#include "scheduler/journal/storage_error.h"

namespace convoy::scheduler::journal::internal {

/// A file of mode 0600 that is written at its end only. Symbolic links are not followed. Everything
/// throws StorageError. reads may go on beside one thread that writes.
class DurableFile {
 public:
  DurableFile() = default;
  DurableFile(DurableFile&& other) noexcept
      : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
  DurableFile& operator=(DurableFile&& other) noexcept;
  ~DurableFile();

  /// Makes a new file; one that exists is an error. Its name is not durable before sync_folder().
  [[nodiscard]] static DurableFile create(const std::filesystem::path& path);
  /// @param writable  false: write() fails.
  [[nodiscard]] static DurableFile open(const std::filesystem::path& path, bool writable);

  void write(std::span<const std::byte> bytes) const;
  /// What was written survives a power failure from here on.
  void sync() const;
  /// Asks the system to begin writing now, so that sync() has less to do.
  void start_writing(std::uint64_t offset, std::uint64_t bytes) const;
  /// Cuts the file and makes that durable.
  void cut(std::uint64_t size) const;
  [[nodiscard]] std::uint64_t size() const;
  /// Fills `out` from `offset` on, and returns how much there was.
  [[nodiscard]] std::size_t read(std::uint64_t offset, std::span<std::byte> out) const;
  /// False where another process has it. The lock goes with the file's closing.
  [[nodiscard]] bool try_lock() const;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  DurableFile(std::filesystem::path path, int flags);

  std::filesystem::path path_;
  int fd_ = -1;
};

/// Makes `path` a folder of mode 0700, with its parents, and the name durable.
void make_private_folder(const std::filesystem::path& path);

/// Replaces `path` so that a crash leaves the old file or the new one: the parts one after the
/// other, mode 0600.
void replace_file(const std::filesystem::path& path,
                  std::span<const std::span<const std::byte>> parts);

/// rename(); the new name is durable. The old one may come back with a power failure.
void move_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// As the one of base/file.h, but throws StorageError.
void sync_names(const std::filesystem::path& folder);

/// The whole file.
[[nodiscard]] std::vector<std::byte> read_all(const std::filesystem::path& path);

}  // namespace convoy::scheduler::journal::internal
