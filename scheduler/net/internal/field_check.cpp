// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/field_check.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/plain_name.h"
#include "scheduler/net/refusal.h"

namespace convoy::net::internal {
namespace {

/// Bytes of the character that begins with this one; 0 for none, and for those that would be too
/// long by themselves (overlong forms beyond two bytes are found by their value).
std::size_t utf8_length(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

}  // namespace

bool is_control_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

bool is_utf8(std::string_view text) {
  constexpr std::array<std::uint32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text[0]);
    const std::size_t length = utf8_length(first);
    if (length == 0 || length > text.size()) return false;
    std::uint32_t value = length == 1 ? first : first & (0x7fU >> length);
    for (const char c : text.substr(1, length - 1)) {
      const auto byte = static_cast<unsigned char>(c);
      if ((byte & 0xc0U) != 0x80U) return false;
      value = value << 6 | (byte & 0x3fU);
    }
    const bool is_surrogate = value >= 0xd800 && value < 0xe000;
    if (value < kLeast[length] || value > 0x10ffff || is_surrogate) return false;
    text.remove_prefix(length);
  }
  return true;
}

void FieldCheck::check(bool ok, std::string_view field, std::string_view problem) {
  if (ok || !reason_.empty()) return;
  reason_.append(field).append(" ").append(problem);
}

std::string FieldCheck::name(std::string_view field, const std::string& value) {
  const bool ok = is_plain_name(value);
  check(ok, field, "is no name ([A-Za-z0-9._-], 1 to 64 of them)");
  return ok ? value : std::string();
}

std::string FieldCheck::text(std::string_view field, const std::string& value) {
  check(value.size() <= kMaxTextBytes, field, "is too long");
  check(is_utf8(value), field, "is not UTF-8");
  check(std::none_of(value.begin(), value.end(), is_control_character), field,
        "has control characters");
  return ok() ? value : std::string();
}

std::int64_t FieldCheck::count(std::string_view field, std::int64_t value, std::int64_t least,
                               std::int64_t most) {
  check(value >= least, field, "is too small");
  check(value <= most, field, "is too large");
  return std::clamp(value, least, most);
}

double FieldCheck::number(std::string_view field, double value, double least, double most) {
  check(std::isfinite(value), field, "is not finite");
  check(!(value < least), field, "is too small");
  check(!(value > most), field, "is too large");
  return value;
}

Sha256 FieldCheck::digest(std::string_view field, const std::string& bytes) {
  Sha256 digest{};
  check(bytes.size() == digest.size(), field, "is no SHA-256 (32 bytes)");
  if (bytes.size() == digest.size()) std::memcpy(digest.data(), bytes.data(), digest.size());
  return digest;
}

}  // namespace convoy::net::internal
