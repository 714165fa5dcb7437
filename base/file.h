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

/// Finds out now whether write_file_atomic() will be able to write `path` later; leaves nothing
/// behind. @throws ConfigError that names the path and the system's reason.
void require_writable(const std::filesystem::path& path);

/// Makes the names in `folder` (new files, renames, removals) survive a power failure.
/// @throws std::runtime_error that names the folder and the system's reason.
void sync_folder(const std::filesystem::path& folder);

/// The whole file. @throws ConfigError that names the path and the system's reason.
[[nodiscard]] std::vector<std::byte> read_file(const std::filesystem::path& path);
[[nodiscard]] std::string read_text_file(const std::filesystem::path& path);

}  // namespace convoy
