// SPDX-License-Identifier: Apache-2.0
#include "trainer/checkpoint/internal/folders.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/errors.h"
#include "base/file.h"

namespace convoy::trainer::internal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "step-";

std::optional<std::int64_t> step_of(const std::string& name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  std::int64_t step = 0;
  const char* const end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + kPrefix.size(), end, step);
  if (error != std::errc{} || rest != end || folder_name(step) != name) return std::nullopt;
  return step;
}

/// Names in a folder; none where it cannot be read.
std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> result;
  std::error_code error;
  for (fs::directory_iterator i(folder, error), end; !error && i != end; i.increment(error)) {
    result.push_back(i->path());
  }
  return result;
}

bool is_temporary(const fs::path& path) {
  return path.filename().string().find(".tmp.") != std::string::npos;
}

bool contents_fit(const fs::path& path, const Manifest& manifest) {
  try {
    for (const auto& file : manifest.files) {
      if (file.at_rank_0) (void)read_checked(path, file);
    }
    return true;
  } catch (const ConfigError&) {
    return false;
  }
}

}  // namespace

std::string folder_name(std::int64_t step) { return fmt::format("{}{}", kPrefix, step); }

std::map<std::int64_t, fs::path> step_folders(const fs::path& folder) {
  std::map<std::int64_t, fs::path> result;
  for (const auto& path : entries(folder)) {
    if (const auto step = step_of(path.filename().string())) result.emplace(*step, path);
  }
  return result;
}

Manifest read_manifest(const fs::path& path) {
  require_config(fs::is_regular_file(path / kManifestName),
                 fmt::format("it has no {}", kManifestName));
  return parse_manifest(read_text_file(path / kManifestName));
}

std::optional<Manifest> whole_manifest(const fs::path& path) {
  try {
    auto manifest = read_manifest(path);
    for (const auto& file : manifest.files) {
      if (file.at_rank_0 && size_problem(path, file)) return std::nullopt;
    }
    return manifest;
  } catch (const ConfigError&) {
    return std::nullopt;
  }
}

std::optional<fs::path> newest_whole(const fs::path& folder, const std::string& identity,
                                     const fs::path& except) {
  const auto folders = step_folders(folder);
  for (auto i = folders.rbegin(); i != folders.rend(); ++i) {
    const auto manifest = whole_manifest(i->second);
    std::error_code error;
    if (!manifest || manifest->identity != identity) continue;
    if (fs::equivalent(i->second, except, error)) continue;
    if (contents_fit(i->second, *manifest)) return i->second;
  }
  return std::nullopt;
}

void remove_checkpoint(const fs::path& path) {
  std::error_code ignored;
  fs::remove(path / kManifestName, ignored);
  fs::remove_all(path, ignored);
}

void remove_leftovers(const fs::path& folder, const std::set<std::int64_t>& kept,
                      const fs::path& current, const Manifest& manifest) {
  std::error_code ignored;
  for (const auto& [step, path] : step_folders(folder)) {
    if (!kept.contains(step)) {
      remove_checkpoint(path);
      continue;
    }
    for (const auto& file : entries(path)) {
      const auto name = file.filename().string();
      const bool unlisted =
          path == current && name != kManifestName && manifest.find(name) == nullptr;
      if (unlisted || is_temporary(file)) fs::remove(file, ignored);
    }
  }
}

}  // namespace convoy::trainer::internal
