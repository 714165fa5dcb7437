// SPDX-License-Identifier: Apache-2.0
#include "launch/job/known_keys.h"

#include <spdlog/fmt/fmt.h>

#include <limits>
#include <set>
#include <tuple>

#include "base/edit_distance.h"
#include "base/errors.h"

namespace convoy::launch {
namespace {

/// "train.optimizer.lr" taken apart: section "train.optimizer", key "lr".
struct Path {
  std::string section;
  std::string key;

  explicit Path(const std::string& path) {
    const auto dot = path.rfind('.');
    if (dot != std::string::npos) section = path.substr(0, dot);
    key = dot == std::string::npos ? path : path.substr(dot + 1);
  }
};

class KeyCollector final : public FieldVisitor {
 public:
  void section(std::string_view path) override {
    section_ = path;
    sections.insert(section_);
  }
  void text(std::string_view key, std::string&, Choices) override { add(key); }
  void integer(std::string_view key, std::int64_t&, IntegerRange) override { add(key); }
  void integer_or_auto(std::string_view key, std::int64_t&, IntegerRange) override { add(key); }
  void number(std::string_view key, double&, NumberRange) override { add(key); }
  void flag(std::string_view key, bool&) override { add(key); }
  void flag_or_text(std::string_view key, std::string&, Choices) override { add(key); }
  void numbers(std::string_view key, std::vector<double>&, NumberRange) override { add(key); }
  void text_or_numbers(std::string_view key, std::string&, std::vector<double>&, Choices,
                       NumberRange) override {
    add(key);
  }
  void texts(std::string_view key, std::vector<std::string>&) override { add(key); }

  std::set<std::string> sections;
  std::set<std::string> keys;  // whole paths

 private:
  void add(std::string_view key) { keys.insert(section_ + "." + std::string(key)); }

  std::string section_;
};

std::string nearest_section(const std::string& section, const KeyCollector& known) {
  std::string best;
  auto best_distance = std::numeric_limits<std::size_t>::max();
  for (const auto& candidate : known.sections) {
    const std::size_t distance = edit_distance(section, candidate);
    if (distance < best_distance) std::tie(best_distance, best) = std::tuple(distance, candidate);
  }
  return best;
}

/// The nearest key of the same section; one of its own tables only where it is nearer by two, so
/// that [train] lr finds [train.optimizer] lr, and one of another section where it is nearer by
/// three. Sections are known keys of their parents.
Path nearest_key(const Path& path, const KeyCollector& known) {
  std::set<std::string> candidates = known.keys;
  candidates.insert(known.sections.begin(), known.sections.end());
  Path best("");
  auto best_cost = std::numeric_limits<std::size_t>::max();
  for (const auto& text : candidates) {
    const Path candidate(text);
    if (candidate.section.empty()) continue;
    const bool inside = candidate.section.starts_with(path.section + ".");
    const std::size_t elsewhere = candidate.section == path.section ? 0 : inside ? 2 : 3;
    const std::size_t cost = edit_distance(path.key, candidate.key) + elsewhere;
    if (cost < best_cost) std::tie(best_cost, best) = std::tuple(cost, candidate);
  }
  return best;
}

[[noreturn]] void throw_unknown(const std::string& text, const Entry& entry,
                                const KeyCollector& known) {
  const Path path(text);
  const bool table = std::holds_alternative<TableValue>(entry.value);
  if (table) {
    throw ConfigError(fmt::format("{}: unknown section [{}]; did you mean [{}]?", entry.where(),
                                  text, nearest_section(text, known)));
  }
  const Path nearest = nearest_key(path, known);
  const std::string place =
      nearest.section == path.section ? "" : fmt::format(" in [{}]", nearest.section);
  const std::string home =
      path.section.empty() ? "outside any section" : fmt::format("in [{}]", path.section);
  throw ConfigError(fmt::format(R"({}: unknown key "{}" {}; did you mean "{}"{}?)", entry.where(),
                                path.key, home, nearest.key, place));
}

}  // namespace

void check_known(const Document& document, const Description& describe) {
  KeyCollector known;
  describe(known);
  // The first in the order of writing, not of the alphabet.
  const std::pair<const std::string, Entry>* first = nullptr;
  for (const auto& item : document) {
    const auto& [path, entry] = item;
    if (known.keys.contains(path) || known.sections.contains(path)) continue;
    const auto order = [](const Entry& e) { return std::tuple(e.layer, e.line); };
    if (first == nullptr || order(entry) < order(first->second)) first = &item;
  }
  if (first != nullptr) throw_unknown(first->first, first->second, known);
}

}  // namespace convoy::launch
