// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace convoy::trainer::privacy {

/// Names the data of a site in its ledger by what lies on its disk, so that no job can make other
/// data of them: SHA-256, shortened, over the raw bytes of the file, or of all files of the folder
/// with their relative paths; and over `share`, which part of them the site trains on. Reads all of
/// them once.
/// @return a plain name. @throws ConfigError that names what cannot be read.
[[nodiscard]] std::string identity_of_files(const std::filesystem::path& data,
                                            std::string_view share);

/// The same for data that lie in no file: `description` says what makes them.
[[nodiscard]] std::string identity_of_made_data(std::string_view description,
                                                std::string_view share);

}  // namespace convoy::trainer::privacy
