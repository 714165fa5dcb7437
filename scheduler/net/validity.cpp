// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/validity.h"

#include <array>
#include <ctime>

#include "base/errors.h"

namespace convoy::net {
namespace {

constexpr const char* kFormat = "%Y-%m-%dT%H:%M:%SZ";
constexpr int kMostDays = 36500;

}  // namespace

Time current_time() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

Validity valid_for_days(int days) {
  require_config(days >= 1 && days <= kMostDays, "days must be from 1 to 36500");
  const Time now = current_time();
  return {now - std::chrono::hours(1), now + std::chrono::days(days)};
}

std::string to_text(Time time) {
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm parts{};
  std::array<char, 40> text{};
  require(::gmtime_r(&seconds, &parts) != nullptr, "a time that no calendar has");
  (void)std::strftime(text.data(), text.size(), kFormat, &parts);
  return text.data();
}

Time parse_time(const std::string& text) {
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), kFormat, &parts);
  require_config(end != nullptr && *end == '\0',
                 "\"" + text + "\" is no time (YYYY-MM-DDThh:mm:ssZ)");
  return Time(std::chrono::seconds(::timegm(&parts)));
}

}  // namespace convoy::net
