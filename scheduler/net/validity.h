// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

namespace convoy::net {

using Time = std::chrono::sys_seconds;

/// When a certificate or a revocation list holds, both ends included.
struct Validity {
  Time from;
  Time to;
};

[[nodiscard]] Time current_time();

/// From now for `days` days, beginning an hour early for those whose clocks are behind.
/// @throws ConfigError unless 1 <= days <= 36500.
[[nodiscard]] Validity valid_for_days(int days);

/// "2026-11-23T05:04:35Z".
[[nodiscard]] std::string to_text(Time time);
/// @throws ConfigError for any other form.
[[nodiscard]] Time parse_time(const std::string& text);

}  // namespace convoy::net
