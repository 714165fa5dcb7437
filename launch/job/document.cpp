// SPDX-License-Identifier: Apache-2.0
// The only file that knows toml++, which is slow to compile.
#include "launch/job/document.h"

#include <toml++/toml.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "base/errors.h"

namespace convoy::launch {
namespace {

std::string other_type_name(const toml::node& node) {
  if (node.is_date()) return "a date";
  if (node.is_time()) return "a time";
  return "a date and time";
}

/// The array as a list of T, where all its elements read as one.
template <typename T>
std::optional<std::vector<T>> list_of(const toml::array& array) {
  std::vector<T> list;
  for (const auto& element : array) {
    const auto value = element.value<T>();
    if (!value) return std::nullopt;
    list.push_back(*value);
  }
  return list;
}

Value value_of(const toml::array& array) {
  if (auto numbers = list_of<double>(array)) return *std::move(numbers);
  if (auto texts = list_of<std::string>(array)) return *std::move(texts);
  return OtherValue{"a mixed array"};
}

Value value_of(const toml::node& node) {
  if (node.is_table()) return TableValue{};
  if (const auto* value = node.as_boolean()) return value->get();
  if (const auto* value = node.as_integer()) return value->get();
  if (const auto* value = node.as_floating_point()) return value->get();
  if (const auto* value = node.as_string()) return value->get();
  if (const auto* value = node.as_array()) return value_of(*value);
  return OtherValue{other_type_name(node)};
}

bool is_bare(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}

void flatten(const toml::table& table, const std::string& prefix, const Entry& origin,
             Document& document) {
  for (const auto& [key, node] : table) {
    // Quoted where needed, so that "a.b" never passes for b in [a].
    const std::string name(key.str());
    const std::string path = prefix + (is_bare(name) ? name : to_toml(name));
    Entry entry = origin;
    entry.value = value_of(node);
    if (origin.layer == 0) entry.line = static_cast<int>(node.source().begin.line);
    document.insert_or_assign(path, std::move(entry));
    if (const auto* child = node.as_table()) flatten(*child, path + ".", origin, document);
  }
}

/// The first line of toml++'s reason, which may quote several lines.
std::string reason(const toml::parse_error& error) {
  const std::string text(error.description());
  return text.substr(0, text.find('\n'));
}

template <typename T>
std::string format_list(const std::vector<T>& values) {
  std::string text;
  for (const auto& value : values) text += (text.empty() ? "" : ", ") + to_toml(value);
  return "[" + text + "]";
}

template <typename T>
std::string format(const T& value) {
  std::ostringstream out;
  out << toml::value<T>(value);
  return out.str();
}

toml::table parse_assignment(const std::string& key, const std::string& value) {
  try {
    return toml::parse(key + " = " + value);
  } catch (const toml::parse_error&) {
    return toml::parse(key + " = " + to_toml(value));
  }
}

}  // namespace

std::string Entry::where() const { return line > 0 ? source + ":" + std::to_string(line) : source; }

std::string type_name(const Value& value) {
  struct Names {
    std::string operator()(const TableValue&) const { return "a table"; }
    std::string operator()(const OtherValue& other) const { return other.type; }
    std::string operator()(bool) const { return "a boolean"; }
    std::string operator()(std::int64_t) const { return "an integer"; }
    std::string operator()(double) const { return "a number"; }
    std::string operator()(const std::string&) const { return "a string"; }
    std::string operator()(const Numbers& list) const {
      return list.empty() ? "an empty array" : "an array of numbers";
    }
    std::string operator()(const Texts&) const { return "an array of strings"; }
  };
  return std::visit(Names{}, value);
}

Document parse_toml(std::string_view text, const std::string& source) {
  Document document;
  try {
    flatten(toml::parse(text, source), "", Entry{.source = source}, document);
  } catch (const toml::parse_error& error) {
    throw ConfigError(source + ":" + std::to_string(error.source().begin.line) + ": " +
                      reason(error));
  }
  return document;
}

void apply_set(Document& document, const std::string& assignment, int layer) {
  const Entry origin{.source = "--set " + assignment, .layer = layer};
  const auto equals = assignment.find('=');
  const std::string key = assignment.substr(0, equals);
  require_config(equals != std::string::npos && key.find('.') != std::string::npos &&
                     key.find_first_of("\n#") == std::string::npos,
                 origin.source + ": must look like section.key=value");
  try {
    flatten(parse_assignment(key, assignment.substr(equals + 1)), "", origin, document);
  } catch (const toml::parse_error& error) {
    throw ConfigError(origin.source + ": " + reason(error));
  }
}

std::string to_toml(bool value) { return format(value); }
std::string to_toml(std::int64_t value) { return format(value); }
std::string to_toml(double value) { return format(value); }
std::string to_toml(const std::string& value) { return format(value); }
std::string to_toml(const Numbers& values) { return format_list(values); }
std::string to_toml(const Texts& values) { return format_list(values); }

}  // namespace convoy::launch
