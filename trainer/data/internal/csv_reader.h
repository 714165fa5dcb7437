// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/data/internal/gzip_file.h"

namespace convoy::trainer::internal {

/// Reads records of comma-separated fields (RFC 4180: fields may be quoted, "" in them is a quote,
/// lines end in LF or CRLF), plain or gzip'd, a buffer at a time. Empty lines are skipped, and so
/// is a byte order mark.
class CsvReader {
 public:
  /// @throws ConfigError if the file cannot be opened.
  explicit CsvReader(std::filesystem::path path);

  /// Reads the next record; false at the end of the file.
  /// @throws ConfigError with the line: text after a closing quote, a quote that never closes.
  [[nodiscard]] bool next(std::vector<std::string>& fields);

  [[nodiscard]] const std::string& path() const { return file_.path(); }
  /// The line, from 1, in which the last record began.
  [[nodiscard]] std::int64_t line() const { return record_line_; }

 private:
  [[nodiscard]] int peek();
  int take();
  [[nodiscard]] int read_plain(std::string& field);
  [[nodiscard]] int read_quoted(std::string& field);
  void fill();

  GzipFile file_;
  std::array<std::uint8_t, 1 << 16> buffer_{};
  std::size_t position_ = 0;
  std::size_t filled_ = 0;
  std::int64_t line_ = 1;
  std::int64_t record_line_ = 0;
};

}  // namespace convoy::trainer::internal
