// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scheduler/net/dialer.h"
#include "trainer/sites/site_client.h"

namespace convoy::trainer {

/// One thing that a site needs to take part.
struct SiteCheck {
  enum class State : std::uint8_t { kOk, kWarn, kFailed };
  std::string what;  ///< "route", "data", ...
  State state = State::kFailed;
  std::string text;  ///< one line
};

/// Tries everything that comes before training, and enrols nobody: certificate, clock, the site's
/// own folders, route, server, policy, data. What cannot be tried because something before it
/// failed is left out. Warns of what works today and will not in a week.
[[nodiscard]] std::vector<SiteCheck> check_site(const SiteClientOptions& options,
                                                const net::DialerOptions& dialing);

/// Nothing has failed.
[[nodiscard]] bool all_ok(const std::vector<SiteCheck>& checks);
/// A line each.
[[nodiscard]] std::string to_text(const std::vector<SiteCheck>& checks);
[[nodiscard]] std::string to_json(const std::vector<SiteCheck>& checks);

}  // namespace convoy::trainer
