// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <utility>

#include "trainer/job.h"

namespace convoy::launch {

/// True where `folder` holds what a run has written.
[[nodiscard]] bool holds_a_run(const std::filesystem::path& folder);

/// Where a new run writes. A folder that the user names (`--run-dir`, else run.output) must not
/// hold a run yet; without one it is runs/<name>, or the first free of runs/<name>-2, -3, ...
/// @throws ConfigError.
[[nodiscard]] std::filesystem::path fresh_run_dir(const trainer::RunConfig& run,
                                                  const std::filesystem::path& run_dir_option);

/// Where `--resume` without a folder goes on: `--run-dir`, else run.output, else the newest of
/// runs/<name>, runs/<name>-2, ... @throws ConfigError where there is none.
[[nodiscard]] std::filesystem::path newest_run_dir(const trainer::RunConfig& run,
                                                   const std::filesystem::path& run_dir_option);

/// What lies in a folder, by name; nothing where there is none.
[[nodiscard]] std::set<std::string> names_in(const std::filesystem::path& folder);

/// Takes away what a start has put into a new run directory and that came to nothing, so that the
/// same command can be tried again.
class FailedStart {
 public:
  /// @param before  names_in() before the start: they stay.
  FailedStart(std::filesystem::path folder, std::set<std::string> before)
      : folder_(std::move(folder)), before_(std::move(before)) {}
  ~FailedStart();
  FailedStart(const FailedStart&) = delete;
  FailedStart& operator=(const FailedStart&) = delete;

  /// All stays.
  void has_started() { has_started_ = true; }

 private:
  std::filesystem::path folder_;
  std::set<std::string> before_;
  bool has_started_ = false;
};

/// What `--resume D` means.
struct ResumePoint {
  std::filesystem::path run_dir;
  std::filesystem::path checkpoint;  ///< empty: the newest
};

/// D is a run directory or a checkpoint folder in one. @throws ConfigError where it is neither.
[[nodiscard]] ResumePoint resume_point(const std::filesystem::path& given);

}  // namespace convoy::launch
