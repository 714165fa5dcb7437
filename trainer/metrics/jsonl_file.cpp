// SPDX-License-Identifier: Apache-2.0
#include "trainer/metrics/jsonl_file.h"

#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "trainer/metrics/internal/append_file.h"

namespace convoy::trainer {
namespace {

bool belongs_to_steps_until(std::string_view line, std::int64_t last_step) {
  const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return false;
  const auto step = json.find("step");
  return step != json.end() && step->is_number_integer() && step->get<std::int64_t>() <= last_step;
}

/// Keeps the complete lines of steps until `last_step`. A killed run may have left half a line.
void cut_lines(const std::filesystem::path& path, std::int64_t last_step) {
  if (!std::filesystem::is_regular_file(path)) return;
  const std::string text = read_text_file(path);
  std::string kept;
  std::size_t begin = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    const auto line = std::string_view(text).substr(begin, end - begin);
    if (belongs_to_steps_until(line, last_step)) kept.append(line).append("\n");
    begin = end + 1;
  }
  if (kept != text) write_file_atomic(path, kept);
}

}  // namespace

JsonlFile::JsonlFile(const std::filesystem::path& path, std::int64_t last_step) {
  cut_lines(path, last_step);
  file_ = std::make_unique<internal::AppendFile>(path);
}

JsonlFile::~JsonlFile() = default;

void JsonlFile::append(std::string_view json) { file_->append(std::string(json) + "\n"); }

}  // namespace convoy::trainer
