// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/sha256.h"

namespace convoy::net::internal {

[[nodiscard]] bool is_utf8(std::string_view text);
/// What a line of a log cannot hold: below 0x20, and 0x7f.
[[nodiscard]] bool is_control_character(char c);

/// Checks the fields of one message and remembers the first that is wrong. Each function returns
/// what it was given, or something harmless.
class FieldCheck {
 public:
  /// [A-Za-z0-9._-]{1,64} but not "." or "..": it may become part of a path.
  std::string name(std::string_view field, const std::string& value);
  /// For people: UTF-8 of at most kMaxTextBytes (refusal.h) without control characters, so that it
  /// can be logged.
  std::string text(std::string_view field, const std::string& value);
  std::int64_t count(std::string_view field, std::int64_t value, std::int64_t least = 0,
                     std::int64_t most = std::numeric_limits<std::int64_t>::max());
  /// A finite number from `least` to `most`.
  double number(std::string_view field, double value,
                double least = std::numeric_limits<double>::lowest(),
                double most = std::numeric_limits<double>::max());
  Sha256 digest(std::string_view field, const std::string& bytes);
  /// An enumerator from 1 to `last`.
  template <typename Enum>
  Enum known(std::string_view field, std::uint32_t value, Enum last) {
    const bool ok = value >= 1 && value <= static_cast<std::uint32_t>(last);
    check(ok, field, "has no such value");
    return static_cast<Enum>(ok ? value : 1);
  }
  /// Any other rule. @param problem  follows the field's name.
  void check(bool ok, std::string_view field, std::string_view problem);

  [[nodiscard]] bool ok() const { return reason_.empty(); }
  /// "field problem" of the first; empty: all is well.
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  std::string reason_;
};

}  // namespace convoy::net::internal
