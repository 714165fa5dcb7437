// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace convoy::launch {

/// A TOML table, and whatever else no key of a job takes (mixed arrays, dates).
struct TableValue {};
struct OtherValue {
  std::string type;  ///< "an array"
};

using Numbers = std::vector<double>;     ///< an array of numbers, or an empty one
using Texts = std::vector<std::string>;  ///< an array of strings

using Value =
    std::variant<TableValue, OtherValue, bool, std::int64_t, double, std::string, Numbers, Texts>;

/// One key or table of a job, and where the user wrote it.
struct Entry {
  Value value;
  std::string source;  ///< file name, or `--set section.key=value`
  int layer = 0;       ///< 0: the file; n: the nth --set
  int line = 0;        ///< in the file; 0: none to speak of

  /// "job.toml:9", or `--set train.lr=x`.
  [[nodiscard]] std::string where() const;
};

/// A job file laid flat: "train.optimizer.lr" -> its value. Tables are entries too.
using Document = std::map<std::string, Entry>;

/// "an integer", "a string", ...
[[nodiscard]] std::string type_name(const Value& value);

/// @param source  name of the file in messages.
/// @throws ConfigError "job.toml:3: <what is wrong with the TOML>".
[[nodiscard]] Document parse_toml(std::string_view text, const std::string& source);

/// Lays `section.key=value` over what is there. The value is read as TOML, and as plain text where
/// it is none. @throws ConfigError that names the --set.
void apply_set(Document& document, const std::string& assignment, int layer);

/// The value as TOML text; the same value when read again.
[[nodiscard]] std::string to_toml(bool value);
[[nodiscard]] std::string to_toml(std::int64_t value);
[[nodiscard]] std::string to_toml(double value);
[[nodiscard]] std::string to_toml(const std::string& value);
[[nodiscard]] std::string to_toml(const Numbers& values);
[[nodiscard]] std::string to_toml(const Texts& values);

}  // namespace convoy::launch
