// SPDX-License-Identifier: Apache-2.0
#include "trainer/checkpoint/internal/manifest.h"

#include <spdlog/fmt/fmt.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/errors.h"
#include "base/file.h"
#include "base/hash.h"

namespace convoy::trainer::internal {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kProgram = "convoy";
constexpr int kFormat = 1;

Json file_to_json(const FileEntry& file) {
  return {{"name", file.name},
          {"bytes", file.bytes},
          {"hash", file.hash},
          {"at_rank_0", file.at_rank_0}};
}

FileEntry file_from_json(const Json& json) {
  FileEntry file{.name = json.at("name").get<std::string>(),
                 .bytes = json.at("bytes").get<std::uint64_t>(),
                 .hash = json.at("hash").get<std::string>(),
                 .at_rank_0 = json.at("at_rank_0").get<bool>()};
  // A manifest must not lead out of its folder.
  require_config(!file.name.empty() && file.name.find('/') == std::string::npos,
                 std::string(kManifestName) + " is damaged: bad file name");
  return file;
}

std::map<std::string, double> counters_from_json(const Json& json) {
  std::map<std::string, double> counters;
  for (const auto& [name, value] : json.items()) {
    // JSON has no NaN and no infinity.
    counters[name] =
        value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
  }
  return counters;
}

Manifest from_json(const Json& json) {
  Manifest manifest{.step = json.at("step").get<std::int64_t>(),
                    .epoch = json.at("epoch").get<std::int64_t>(),
                    .position = json.at("position").get<std::int64_t>(),
                    .ranks = json.at("ranks").get<int>(),
                    .identity = json.at("identity").get<std::string>(),
                    .revision = json.at("revision").get<int>(),
                    .parameters = json.at("parameters").get<std::int64_t>()};
  for (const auto& file : json.at("files")) manifest.files.push_back(file_from_json(file));
  for (const auto& rank : json.at("counters")) {
    manifest.counters.push_back(counters_from_json(rank));
  }
  return manifest;
}

}  // namespace

const FileEntry* Manifest::find(const std::string& name) const {
  for (const auto& file : files) {
    if (file.name == name) return &file;
  }
  return nullptr;
}

std::string file_name(const std::string& stem, int revision) {
  return revision == 0 ? stem + ".pt" : fmt::format("{}.{}.pt", stem, revision);
}

std::string to_json(const Manifest& manifest) {
  Json files = Json::array();
  for (const auto& file : manifest.files) files.push_back(file_to_json(file));
  const Json json{{"program", kProgram},
                  {"format", kFormat},
                  {"step", manifest.step},
                  {"epoch", manifest.epoch},
                  {"position", manifest.position},
                  {"ranks", manifest.ranks},
                  {"identity", manifest.identity},
                  {"revision", manifest.revision},
                  {"parameters", manifest.parameters},
                  {"files", files},
                  {"counters", manifest.counters}};
  // File names need not be UTF-8, JSON must be.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Manifest parse_manifest(const std::string& text) {
  const auto json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  require_config(json.is_object(), std::string(kManifestName) + " is damaged: no JSON");
  try {
    require_config(json.value("program", "") == kProgram,
                   std::string(kManifestName) + " was not written by convoy");
    const int format = json.at("format").get<int>();
    require_config(format <= kFormat,
                   fmt::format("its format is {}; this version reads up to {}", format, kFormat));
    return from_json(json);
  } catch (const Json::exception& error) {
    throw ConfigError(std::string(kManifestName) + " is damaged: " + error.what());
  }
}

std::optional<std::string> size_problem(const std::filesystem::path& folder,
                                        const FileEntry& entry) {
  std::error_code error;
  const auto found = std::filesystem::file_size(folder / entry.name, error);
  if (error) return entry.name + " is missing";
  if (found == entry.bytes) return std::nullopt;
  return fmt::format("{} has {} of {} bytes", entry.name, found, entry.bytes);
}

std::vector<std::byte> read_checked(const std::filesystem::path& folder, const FileEntry& entry) {
  if (const auto problem = size_problem(folder, entry)) throw ConfigError(*problem);
  auto content = read_file(folder / entry.name);
  const auto hash = to_hex(hash64(content));
  require_config(hash == entry.hash,
                 fmt::format("{} has hash {}, not {} as written", entry.name, hash, entry.hash));
  return content;
}

}  // namespace convoy::trainer::internal
