// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/job.h"

namespace convoy::launch {

/// Reads a job file (TOML) and lays each `section.key=value` of `sets` over it. Relative paths in
/// the job are taken from the current folder and made absolute, so that the job means the same when
/// it is read again from elsewhere.
/// @throws ConfigError in one line, with file and line or with the --set: what is unknown, of the
///         wrong type, impossible, or not in this build.
[[nodiscard]] trainer::Job load_job(const std::filesystem::path& file,
                                    const std::vector<std::string>& sets = {});

/// The same of a text; `source` stands for the file's name in messages.
[[nodiscard]] trainer::Job parse_job(std::string_view text, const std::string& source,
                                     const std::vector<std::string>& sets = {});

/// The whole job with all its defaults as TOML; parse_job() gives the same job back.
[[nodiscard]] std::string job_text(const trainer::Job& job);

}  // namespace convoy::launch
