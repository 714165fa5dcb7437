// SPDX-License-Identifier: Apache-2.0
#include "trainer/metrics/jsonl_file.h"

#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "trainer/metrics/internal/append_file.h"

namespace convoy::trainer {
namespace {

bool is_at_most(const nlohmann::json& json, const char* key, std::int64_t last) {
  const auto number = json.find(key);
  return number != json.end() && number->is_number_integer() && number->get<std::int64_t>() <= last;
}

bool is_kept(const nlohmann::json& json, std::int64_t last_step, std::int64_t last_version) {
  return json.is_object() && is_at_most(json, "step", last_step) &&
         (!json.contains("version") || is_at_most(json, "version", last_version));
}

}  // namespace

void JsonlFile::cut_lines(const std::filesystem::path& path, std::int64_t last_step,
                          std::int64_t last_version) {
  if (!std::filesystem::is_regular_file(path)) return;
  const std::string text = read_text_file(path);
  std::string kept;
  std::size_t begin = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    const auto line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!is_kept(json, last_step, last_version)) continue;
    kept.append(line).append("\n");
    if (!json.contains("kind") || json["kind"] != "evaluation") continue;
    evaluated_before_ = json.contains("version") ? json["version"] : json["step"];
  }
  if (kept != text) write_file_atomic(path, kept);
}

JsonlFile::JsonlFile(const std::filesystem::path& path, std::int64_t last_step,
                     std::int64_t last_version) {
  cut_lines(path, last_step, last_version);
  file_ = std::make_unique<internal::AppendFile>(path);
}

JsonlFile::~JsonlFile() = default;

void JsonlFile::append(std::string_view json) { file_->append(std::string(json) + "\n"); }

}  // namespace convoy::trainer
