// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace convoy {

/// Makes `folder` and what is missing above it, all of mode 0700; what is there stays as it is.
/// @throws ConfigError that names the folder and the system's reason.
void make_private_folder(const std::filesystem::path& folder);

/// What somebody else has written to `file` survives a power failure from here on; its name does
/// after sync_folder(). @throws std::runtime_error that names the file and the system's reason.
void sync_file(const std::filesystem::path& file);

}  // namespace convoy
