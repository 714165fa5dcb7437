// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace convoy {

/// Makes `folder` and what is missing above it, all of mode 0700; what is there stays as it is.
/// @throws ConfigError that names the folder and the system's reason.
void make_private_folder(const std::filesystem::path& folder);

}  // namespace convoy
