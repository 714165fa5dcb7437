// SPDX-License-Identifier: Apache-2.0
#include "base/plain_name.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "base/errors.h"

namespace convoy {
namespace {

constexpr std::size_t kLongest = 64;

// Not std::isalnum(), which asks the locale.
bool is_allowed(char c) {
  return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

}  // namespace

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongest && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), is_allowed);
}

void require_plain_name(std::string_view name, std::string_view what) {
  if (is_plain_name(name)) return;
  std::string shown(name.substr(0, kLongest));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return !is_allowed(c); }, '?');
  throw ConfigError(
      fmt::format("the {} name \"{}\" ({} bytes) is not allowed: 1 to {} characters of A-Z, a-z, "
                  "0-9, ., _ and -, and neither . nor ..",
                  what, shown, name.size(), kLongest));
}

}  // namespace convoy
