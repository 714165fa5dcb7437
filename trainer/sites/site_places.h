// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace convoy::trainer {

/// Whether the site's state folder can be made, or written into, by looking: nothing is made.
/// @throws ConfigError that names the folder.
void require_state_folder(const std::filesystem::path& folder);

/// Whether the run's result can be written there at the end. `state` will be there by then.
/// @throws ConfigError that names the file.
void require_model_file(const std::filesystem::path& file, const std::filesystem::path& state);

}  // namespace convoy::trainer
