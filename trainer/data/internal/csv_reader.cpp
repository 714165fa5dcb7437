// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/csv_reader.h"

#include <spdlog/fmt/fmt.h>

#include <utility>

#include "base/errors.h"

namespace convoy::trainer::internal {
namespace {

constexpr int kEnd = -1;

bool ends_field(int c) { return c == ',' || c == '\n' || c == kEnd; }

}  // namespace

CsvReader::CsvReader(std::filesystem::path path) : file_(std::move(path)) {
  fill();
  const bool marked =
      filled_ >= 3 && buffer_[0] == 0xef && buffer_[1] == 0xbb && buffer_[2] == 0xbf;
  if (marked) position_ = 3;
}

void CsvReader::fill() {
  position_ = 0;
  filled_ = file_.read(buffer_);
  // Before the half of a last line is taken for a bad one.
  file_.require_not_cut_off();
}

int CsvReader::peek() {
  if (position_ == filled_) fill();
  return position_ < filled_ ? buffer_[position_] : kEnd;
}

int CsvReader::take() {
  const int c = peek();
  if (c == kEnd) return c;
  ++position_;
  if (c == '\n') ++line_;
  return c;
}

bool CsvReader::next(std::vector<std::string>& fields) {
  while (peek() == '\n' || peek() == '\r') take();
  if (peek() == kEnd) return false;
  record_line_ = line_;
  std::size_t count = 0;
  for (int end = ','; end == ',';) {
    if (count == fields.size()) fields.emplace_back();
    std::string& field = fields[count++];
    field.clear();
    end = peek() == '"' ? read_quoted(field) : read_plain(field);
  }
  fields.resize(count);
  return true;
}

int CsvReader::read_plain(std::string& field) {
  int c = take();
  for (; !ends_field(c); c = take()) field.push_back(static_cast<char>(c));
  if (c != ',' && field.ends_with('\r')) field.pop_back();
  return c;
}

int CsvReader::read_quoted(std::string& field) {
  const std::int64_t opened = line_;
  take();
  for (;;) {
    const int c = take();
    if (c == kEnd) {
      throw ConfigError(fmt::format("{}: line {}: a quote is never closed", path(), opened));
    }
    if (c == '"' && peek() != '"') break;
    if (c == '"') take();
    field.push_back(static_cast<char>(c));
  }
  if (peek() == '\r') take();
  const int c = take();
  if (ends_field(c)) return c;
  throw ConfigError(fmt::format("{}: line {}: text follows a closing quote", path(), line_));
}

}  // namespace convoy::trainer::internal
