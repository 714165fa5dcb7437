// SPDX-License-Identifier: Apache-2.0
#include "launch/process/run_directory.h"

#include "base/errors.h"

namespace convoy::launch {
namespace {

namespace fs = std::filesystem;

fs::path numbered(const std::string& name, int number) {
  return fs::path("runs") / (number == 1 ? name : name + "-" + std::to_string(number));
}

/// The number of the first folder runs/<name>[-n] that holds no run.
int first_free(const std::string& name) {
  int number = 1;
  while (holds_a_run(numbered(name, number))) ++number;
  return number;
}

fs::path named_by_user(const trainer::RunConfig& run, const fs::path& option) {
  return option.empty() ? fs::path(run.output) : option;
}

}  // namespace

bool holds_a_run(const fs::path& folder) {
  for (const char* trace : {"job.toml", "metrics.jsonl", "summary.json", "checkpoints"}) {
    if (fs::exists(folder / trace)) return true;
  }
  return false;
}

fs::path fresh_run_dir(const trainer::RunConfig& run, const fs::path& run_dir_option) {
  const fs::path named = named_by_user(run, run_dir_option);
  if (named.empty()) return numbered(run.name, first_free(run.name));
  require_config(!holds_a_run(named), named.string() +
                                          " holds a run already: go on with --resume " +
                                          named.string() + ", or name another --run-dir");
  require_config(!fs::exists(named) || fs::is_directory(named),
                 named.string() + " is not a folder");
  return named;
}

fs::path newest_run_dir(const trainer::RunConfig& run, const fs::path& run_dir_option) {
  const fs::path named = named_by_user(run, run_dir_option);
  if (!named.empty()) return named;
  const int free = first_free(run.name);
  require_config(free > 1,
                 "nothing to resume: " + numbered(run.name, 1).string() + " holds no run");
  return numbered(run.name, free - 1);
}

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

FailedStart::~FailedStart() {
  if (has_started_) return;
  std::error_code ignored;
  for (const std::string& name : names_in(folder_)) {
    if (!before_.contains(name)) fs::remove_all(folder_ / name, ignored);
  }
  fs::remove(folder_, ignored);  // if it is empty
}

ResumePoint resume_point(const fs::path& folder) {
  const fs::path given = folder.has_filename() ? folder : folder.parent_path();
  require_config(fs::is_directory(given), "nothing to resume: no folder " + given.string());
  if (!fs::exists(given / "manifest.json") && given.parent_path().filename() != "checkpoints") {
    require_config(holds_a_run(given), "nothing to resume: " + given.string() + " holds no run");
    return {.run_dir = given};
  }
  // <run>/checkpoints/step-<n>, whole or torn: the store says which.
  const fs::path checkpoint = fs::absolute(given).lexically_normal();
  return {.run_dir = checkpoint.parent_path().parent_path(), .checkpoint = checkpoint};
}

}  // namespace convoy::launch
