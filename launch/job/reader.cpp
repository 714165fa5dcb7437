// SPDX-License-Identifier: Apache-2.0
#include "launch/job/reader.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>

#include "base/errors.h"

namespace convoy::launch {
namespace {

class Reader final : public FieldVisitor {
 public:
  explicit Reader(const Document& document) : document_(document) {}

  void section(std::string_view path) override {
    section_ = path;
    const auto found = document_.find(section_);
    if (found == document_.end()) return;
    get<TableValue>(section_, found->second, "a table");
  }

  void text(std::string_view key, std::string& value, Choices choices) override {
    const Entry* entry = find(key);
    if (entry == nullptr) return;
    value = get<std::string>(path(key), *entry, "a string");
    if (choices.size() == 0 || std::find(choices.begin(), choices.end(), value) != choices.end()) {
      return;
    }
    throw ConfigError(fmt::format(R"({}: {} must be one of "{}", not "{}")", entry->where(),
                                  path(key), fmt::join(choices, R"(", ")"), value));
  }

  void integer(std::string_view key, std::int64_t& value, IntegerRange range) override {
    const Entry* entry = find(key);
    if (entry == nullptr) return;
    value = get<std::int64_t>(path(key), *entry, "an integer");
    check_range(key, *entry, range, value);
  }

  void integer_or_auto(std::string_view key, std::int64_t& value, IntegerRange range) override {
    const Entry* entry = find(key);
    if (entry == nullptr) return;
    const auto* word = std::get_if<std::string>(&entry->value);
    if (word != nullptr && *word == "auto") {
      value = 0;
      return;
    }
    value = get<std::int64_t>(path(key), *entry, R"(an integer or "auto")");
    check_range(key, *entry, range, value);
  }

  void number(std::string_view key, double& value, NumberRange range) override {
    const Entry* entry = find(key);
    if (entry == nullptr) return;
    const auto* whole = std::get_if<std::int64_t>(&entry->value);
    value =
        whole != nullptr ? static_cast<double>(*whole) : get<double>(path(key), *entry, "a number");
    check_range(key, *entry, range, value);
  }

  void flag(std::string_view key, bool& value) override {
    const Entry* entry = find(key);
    if (entry != nullptr) value = get<bool>(path(key), *entry, "true or false");
  }

  void flag_or_text(std::string_view key, std::string& value, Choices choices) override {
    const Entry* entry = find(key);
    if (entry == nullptr) return;
    if (const bool* flag = std::get_if<bool>(&entry->value)) {
      value = *flag ? "true" : "false";
      return;
    }
    const auto* given = std::get_if<std::string>(&entry->value);
    if (given != nullptr && std::find(choices.begin(), choices.end(), *given) != choices.end()) {
      value = *given;
      return;
    }
    const std::string what = given != nullptr ? '"' + *given + '"' : type_name(entry->value);
    throw ConfigError(fmt::format(R"({}: {} must be true, false or "{}", not {})", entry->where(),
                                  path(key), fmt::join(choices, R"(", ")"), what));
  }

  void numbers(std::string_view key, std::vector<double>& values, NumberRange range) override {
    const Entry* entry = find(key);
    if (entry == nullptr) return;
    values = get<Numbers>(path(key), *entry, "an array of numbers");
    for (const double value : values) check_range(key, *entry, range, value);
  }

  void text_or_numbers(std::string_view key, std::string& text, std::vector<double>& values,
                       Choices choices, NumberRange range) override {
    const Entry* entry = find(key);
    if (entry == nullptr || !std::holds_alternative<Numbers>(entry->value)) {
      return this->text(key, text, choices);
    }
    numbers(key, values, range);
    text = "list";
  }

  void texts(std::string_view key, std::vector<std::string>& values) override {
    const Entry* entry = find(key);
    if (entry == nullptr) return;
    const auto* empty = std::get_if<Numbers>(&entry->value);
    if (empty != nullptr && empty->empty()) return values.clear();
    values = get<Texts>(path(key), *entry, "an array of strings");
  }

 private:
  [[nodiscard]] std::string path(std::string_view key) const {
    return section_ + "." + std::string(key);
  }

  [[nodiscard]] const Entry* find(std::string_view key) const {
    const auto found = document_.find(path(key));
    return found == document_.end() ? nullptr : &found->second;
  }

  template <typename T>
  static const T& get(const std::string& path, const Entry& entry, const char* wanted) {
    if (const T* value = std::get_if<T>(&entry.value)) return *value;
    throw ConfigError(fmt::format("{}: {} must be {}, not {}", entry.where(), path, wanted,
                                  type_name(entry.value)));
  }

  template <typename Range, typename T>
  void check_range(std::string_view key, const Entry& entry, const Range& range, T value) const {
    if (range.contains(value)) return;
    throw ConfigError(
        fmt::format("{}: {} must be {}, not {}", entry.where(), path(key), range.text(), value));
  }

  const Document& document_;
  std::string section_;
};

}  // namespace

void read_fields(const Document& document, const Description& describe) {
  Reader reader(document);
  describe(reader);
}

}  // namespace convoy::launch
