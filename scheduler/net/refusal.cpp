// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/refusal.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace convoy::net {

std::string_view to_text(RefusalCode code) {
  constexpr std::array<std::string_view, static_cast<std::size_t>(kLastRefusalCode) + 1> kTexts{
      "unknown",      "no common version", "unknown type", "malformed", "not allowed", "unexpected",
      "unknown site", "second instance",   "other schema", "bad frame", "bad stream",  "bad update",
      "out of round", "too much",          "site policy",  "not now",   "failed"};
  const auto index = static_cast<std::size_t>(code);
  return index < kTexts.size() ? kTexts[index] : kTexts[0];
}

std::string as_text(std::string_view text) {
  std::string clean(text.substr(0, kMaxTextBytes));
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return c < 0x20 || c >= 0x7f; }, '?');
  return clean;
}

}  // namespace convoy::net
