// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace convoy {

/// Replaces `path` by `bytes` so that a crash at any moment leaves the old file or the new one,
/// never a part: writes a temporary beside it, fsync, rename, fsync of the folder.
/// @throws std::runtime_error that names the path and the system's reason (disk full, ...); the
///         temporary is removed.
void write_file_atomic(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file_atomic(const std::filesystem::path& path, const std::string& text);

/// The same for a file that is not in memory as a whole: its parts are written as they come, and
/// `path` is replaced by commit(). One thread.
class AtomicFile {
 public:
  /// @throws as write_file_atomic(); all of these.
  explicit AtomicFile(std::filesystem::path path);
  /// Without commit(): removes what was written.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int fd_ = -1;
};

/// The same with mode 0600: nobody but the owner can read it, at no moment.
void write_private_file_atomic(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// Makes `path` with mode 0600, whole or not at all. @throws ConfigError if there is one already,
/// which stays as it is; std::runtime_error as write_file_atomic().
void create_private_file(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// Finds out now whether write_file_atomic() will be able to write `path` later; leaves nothing
/// behind. @throws ConfigError that names the path and the system's reason.
void require_writable(const std::filesystem::path& path);

/// Makes what the file holds survive a power failure, whoever has written it.
/// @throws std::runtime_error that names the path and the system's reason.
void sync_file(const std::filesystem::path& path);

/// Makes the names in `folder` (new files, renames, removals) survive a power failure.
/// @throws std::runtime_error that names the folder and the system's reason.
void sync_folder(const std::filesystem::path& folder);

/// The whole file. @throws ConfigError that names the path and the system's reason.
[[nodiscard]] std::vector<std::byte> read_file(const std::filesystem::path& path);
[[nodiscard]] std::string read_text_file(const std::filesystem::path& path);

/// The whole file. @throws ConfigError as read_file(), and with its mode if others than the owner
/// may do anything with it.
[[nodiscard]] std::vector<std::byte> read_private_file(const std::filesystem::path& path);

}  // namespace convoy
