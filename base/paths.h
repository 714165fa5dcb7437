// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace convoy {

/// Whether `path` is `folder` or lies in it, symbolic links followed as far as they exist.
[[nodiscard]] bool is_inside(const std::filesystem::path& path,
                             const std::filesystem::path& folder);

}  // namespace convoy
