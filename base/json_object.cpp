// SPDX-License-Identifier: Apache-2.0
#include "base/json_object.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "base/edit_distance.h"
#include "base/errors.h"

namespace convoy {
namespace {

using Json = nlohmann::json;

/// Messages quote no more of a value than this.
std::string shown(const Json& value) {
  constexpr std::size_t kMost = 60;
  if (value.is_structured()) return std::string("an ") + value.type_name();
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > kMost) text = text.substr(0, kMost) + "...";
  return text;
}

/// A parser callback that refuses a key that its object already has; JSON leaves open which counts.
class DuplicateKeys {
 public:
  bool operator()(int /*depth*/, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) keys_.emplace_back();
    if (event == Json::parse_event_t::object_end) keys_.pop_back();
    if (event == Json::parse_event_t::key &&
        !keys_.back().insert(parsed.get<std::string>()).second) {
      throw ConfigError("key " + shown(parsed) + " stands twice in one object");
    }
    return true;
  }

 private:
  std::vector<std::set<std::string>> keys_;
};

}  // namespace

Json parse_json(std::string_view text, const std::string& source) {
  try {
    DuplicateKeys keys;
    return Json::parse(text, std::ref(keys));
  } catch (const Json::exception& error) {
    const std::string_view what = error.what();  // "[json.exception.parse_error.101] parse ..."
    throw ConfigError(fmt::format("{}: no JSON: {}", source, what.substr(what.find("] ") + 2)));
  } catch (const ConfigError& error) {
    throw ConfigError(fmt::format("{}: {}", source, error.what()));
  }
}

JsonObject::JsonObject(const Json& json, std::string where,
                       std::initializer_list<std::string_view> known)
    : json_(json), where_(std::move(where)) {
  if (!json.is_object()) fail(fmt::format("must be an object, not {}", json.type_name()));
  for (const auto& [key, value] : json.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string_view nearest = *std::min_element(
        known.begin(), known.end(),
        [&key = key](auto a, auto b) { return edit_distance(key, a) < edit_distance(key, b); });
    fail(fmt::format(R"(unknown key {}; did you mean "{}"?)", shown(key), nearest));
  }
}

void JsonObject::fail(const std::string& what) const { throw ConfigError(where_ + ": " + what); }

const Json& JsonObject::at(const char* key) const {
  if (!has(key)) fail(fmt::format("key \"{}\" is missing", key));
  return json_.at(key);
}

double JsonObject::number(const char* key, double least) const {
  const Json& value = at(key);
  if (!value.is_number()) wrong_type(key, "a number");
  const double number = value.get<double>();
  if (!std::isfinite(number)) fail(fmt::format("{} must be finite, not {}", key, shown(value)));
  if (number < least) {
    fail(fmt::format("{} must be at least {}, not {}", key, least, shown(value)));
  }
  return number;
}

std::int64_t JsonObject::integer(const char* key, std::int64_t least, std::int64_t most) const {
  const Json& value = at(key);
  if (!value.is_number_integer()) wrong_type(key, "an integer");
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const bool fits = !value.is_number_unsigned() || value.get<std::uint64_t>() <= kLargest;
  const std::int64_t number = fits ? value.get<std::int64_t>() : 0;
  if (!fits || number < least || number > most) {
    fail(fmt::format("{} must be in {}..{}, not {}", key, least, most, shown(value)));
  }
  return number;
}

std::string JsonObject::text(const char* key) const {
  if (!at(key).is_string()) wrong_type(key, "a string");
  return at(key).get<std::string>();
}

const Json& JsonObject::list(const char* key) const {
  if (!at(key).is_array()) wrong_type(key, "a list");
  if (at(key).empty()) fail(fmt::format("{} is empty", key));
  return at(key);
}

void JsonObject::wrong_type(const char* key, std::string_view wanted) const {
  fail(fmt::format("{} must be {}, not {}", key, wanted, shown(at(key))));
}

}  // namespace convoy
