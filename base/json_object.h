// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace convoy {

/// Reads JSON text. @param source  what messages call it, e.g. its path.
/// @throws ConfigError "<source>: no JSON: ..." with line and column; also for a key that stands
///         twice in an object.
[[nodiscard]] nlohmann::json parse_json(std::string_view text, const std::string& source);

/// One JSON object that a user wrote, and what messages call it. Every error is a ConfigError in
/// one line: "<where>: ...". Refers to the JSON it was made from.
class JsonObject {
 public:
  using Json = nlohmann::json;

  /// @throws ConfigError unless `json` is an object with no other keys than `known`; an unknown one
  ///         is named with the nearest known one.
  JsonObject(const Json& json, std::string where, std::initializer_list<std::string_view> known);

  [[noreturn]] void fail(const std::string& what) const;

  [[nodiscard]] const std::string& where() const { return where_; }
  [[nodiscard]] bool has(const char* key) const { return json_.contains(key); }
  [[nodiscard]] const Json& at(const char* key) const;

  /// Finite and at least `least`.
  [[nodiscard]] double number(const char* key,
                              double least = -std::numeric_limits<double>::max()) const;
  /// Written without fraction or exponent.
  [[nodiscard]] std::int64_t integer(
      const char* key, std::int64_t least = std::numeric_limits<std::int64_t>::min(),
      std::int64_t most = std::numeric_limits<std::int64_t>::max()) const;
  [[nodiscard]] std::string text(const char* key) const;
  /// Not empty.
  [[nodiscard]] const Json& list(const char* key) const;

  [[noreturn]] void wrong_type(const char* key, std::string_view wanted) const;

 private:
  const Json& json_;
  std::string where_;
};

}  // namespace convoy
