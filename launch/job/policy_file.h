// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "trainer/sites/site_policy.h"

namespace convoy::launch {

/// Reads a site's policy (TOML, docs/deploy.md). A relative folder in it is taken from where the
/// file is. @throws ConfigError in one line, with file and line, as load_job().
[[nodiscard]] trainer::SitePolicy load_policy(const std::filesystem::path& file);

/// The same of a text; `source` stands for the file's name in messages, and its folder for where it
/// is.
[[nodiscard]] trainer::SitePolicy parse_policy(std::string_view text, const std::string& source);

}  // namespace convoy::launch
