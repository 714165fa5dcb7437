// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/csv_dataset.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/errors.h"
#include "trainer/data/internal/csv_reader.h"

namespace convoy::trainer::internal {
namespace {

constexpr std::size_t kExcerptBytes = 40;

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// The whole of `text` as one number.
template <typename Number>
std::optional<Number> parse(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A cell as an error message shows it: short, and on one line.
std::string excerpt(std::string_view cell) {
  std::string shown(cell.substr(0, kExcerptBytes));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < ' ') c = '?';
  }
  return cell.size() > kExcerptBytes ? shown + "..." : shown;
}

struct Header {
  std::vector<std::string> names;
  std::size_t label = 0;
  std::vector<std::size_t> features;  ///< in the order of the table's columns
};

std::size_t find_column(const Header& header, const CsvReader& reader, const std::string& name,
                        const char* key) {
  const auto found = std::find(header.names.begin(), header.names.end(), name);
  if (found != header.names.end()) return static_cast<std::size_t>(found - header.names.begin());
  throw ConfigError(fmt::format("{}: line {}: no column \"{}\" (data.{}); there are: {}",
                                reader.path(), reader.line(), name, key,
                                excerpt(fmt::format("{}", fmt::join(header.names, ", ")))));
}

std::vector<std::size_t> find_features(const Header& header, const CsvReader& reader,
                                       const std::vector<std::string>& wanted) {
  std::vector<std::size_t> features;
  for (const auto& name : wanted) {
    features.push_back(find_column(header, reader, name, "columns"));
  }
  if (!wanted.empty()) return features;
  for (std::size_t column = 0; column < header.names.size(); ++column) {
    if (column != header.label) features.push_back(column);
  }
  return features;
}

Header read_header(CsvReader& reader, const DataConfig& config) {
  Header header;
  if (!reader.next(header.names)) throw ConfigError(reader.path() + ": empty");
  for (auto& name : header.names) name = std::string(trim(name));
  std::set<std::string> seen;
  for (const auto& name : header.names) {
    if (seen.insert(name).second) continue;
    throw ConfigError(fmt::format("{}: line {}: column \"{}\" is there twice", reader.path(),
                                  reader.line(), excerpt(name)));
  }
  header.label = find_column(header, reader, config.label, "label");
  header.features = find_features(header, reader, config.columns);
  require_config(!header.features.empty(), reader.path() + ": no column beside the label");
  return header;
}

double parse_cell(const std::string& cell, const CsvReader& reader, const Header& header,
                  std::size_t column) {
  const auto value = parse<double>(cell);
  // What does not fit float32 would reach the model as infinity.
  if (value && std::abs(*value) <= std::numeric_limits<float>::max()) return *value;
  throw ConfigError(fmt::format(
      "{}: line {}, column {} (\"{}\"): \"{}\" is not a {}number", reader.path(), reader.line(),
      column + 1, excerpt(header.names[column]), excerpt(cell), value ? "finite float32 " : ""));
}

/// Numbers the distinct labels: by value if all are integers, else by their bytes.
void number_labels(const std::vector<std::string>& texts, Table& table) {
  std::map<std::int64_t, std::int64_t> by_value;
  std::map<std::string_view, std::int64_t> by_text;
  for (const auto& text : texts) {
    by_text.emplace(text, 0);
    if (const auto value = parse<std::int64_t>(text)) by_value.emplace(*value, 0);
  }
  const bool integers = std::all_of(by_text.begin(), by_text.end(), [](const auto& entry) {
    return parse<std::int64_t>(entry.first).has_value();
  });
  std::int64_t next = 0;
  if (integers) {
    for (auto& [value, number] : by_value) number = next++;
  } else {
    for (auto& [text, number] : by_text) number = next++;
  }
  for (const auto& text : texts) {
    table.labels.push_back(integers ? by_value.at(*parse<std::int64_t>(text)) : by_text.at(text));
  }
  table.classes = next;
}

/// The number of a label that the job has named.
std::int64_t number_of(const std::string& text, const CsvReader& reader, const Header& header,
                       const std::vector<std::string>& labels) {
  const auto found = std::find(labels.begin(), labels.end(), text);
  if (found != labels.end()) return found - labels.begin();
  throw ConfigError(fmt::format("{}: line {}, column {} (\"{}\"): \"{}\" is none of data.labels",
                                reader.path(), reader.line(), header.label + 1,
                                excerpt(header.names[header.label]), excerpt(text)));
}

/// Adds one record to the table; a class label goes to `label_texts` unless `config` numbers it.
void add_record(const std::vector<std::string>& cells, const CsvReader& reader,
                const Header& header, const DataConfig& config, Table& table,
                std::vector<std::string>& label_texts) {
  if (cells.size() != header.names.size()) {
    throw ConfigError(fmt::format("{}: line {}: {} columns, the header has {}", reader.path(),
                                  reader.line(), cells.size(), header.names.size()));
  }
  for (const std::size_t column : header.features) {
    table.features.push_back(parse_cell(cells[column], reader, header, column));
  }
  if (config.task != "classify") {
    const double target = parse_cell(cells[header.label], reader, header, header.label);
    table.targets.push_back(static_cast<float>(target));
    return;
  }
  std::string label(trim(cells[header.label]));
  if (label.empty()) {
    throw ConfigError(fmt::format("{}: line {}, column {} (\"{}\"): empty label", reader.path(),
                                  reader.line(), header.label + 1,
                                  excerpt(header.names[header.label])));
  }
  if (config.labels.empty()) {
    label_texts.push_back(std::move(label));
  } else {
    table.labels.push_back(number_of(label, reader, header, config.labels));
  }
}

}  // namespace

Table read_csv_table(const DataConfig& config, std::int64_t limit) {
  CsvReader reader(config.path);
  const Header header = read_header(reader, config);
  Table table{.columns = static_cast<std::int64_t>(header.features.size())};
  std::vector<std::string> label_texts;
  std::vector<std::string> cells;
  for (std::int64_t row = 0; (limit == 0 || row < limit) && reader.next(cells); ++row) {
    add_record(cells, reader, header, config, table, label_texts);
  }
  if (!config.labels.empty()) {
    table.classes = static_cast<std::int64_t>(config.labels.size());
  } else if (config.task == "classify") {
    number_labels(label_texts, table);
  }
  require_config(table.rows() > 0, reader.path() + ": no row below the header");
  return table;
}

}  // namespace convoy::trainer::internal
