// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "trainer/checkpoint/internal/manifest.h"

namespace convoy::trainer::internal {

/// "step-<n>".
[[nodiscard]] std::string folder_name(std::int64_t step);

/// Folders below `folder` that are named so, whole or not, by step. Local.
[[nodiscard]] std::map<std::int64_t, std::filesystem::path> step_folders(
    const std::filesystem::path& folder);

/// Reads the manifest of a checkpoint folder. @throws ConfigError, without naming the folder.
[[nodiscard]] Manifest read_manifest(const std::filesystem::path& path);

/// The folder's manifest if that and all files that rank 0 can see are there with the right size.
[[nodiscard]] std::optional<Manifest> whole_manifest(const std::filesystem::path& path);

/// The newest checkpoint below `folder` of this identity whose files here have the right size and
/// hash, `except` left out. Reads files until one fits.
[[nodiscard]] std::optional<std::filesystem::path> newest_whole(
    const std::filesystem::path& folder, const std::string& identity,
    const std::filesystem::path& except);

/// Removes a checkpoint folder, its manifest first, so that a crash never leaves a manifest without
/// its files. What other ranks have removed already is no error.
void remove_checkpoint(const std::filesystem::path& path);

/// Removes step folders other than `kept`, and temporary files that a killed run left in those. In
/// `kept` folder `current`, files that `manifest` does not list go as well.
void remove_leftovers(const std::filesystem::path& folder, const std::set<std::int64_t>& kept,
                      const std::filesystem::path& current, const Manifest& manifest);

}  // namespace convoy::trainer::internal
