// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "scheduler/net/message_type.h"
#include "scheduler/net/refusal.h"
#include "scheduler/net/session_messages.h"

namespace convoy::net {

/// What this program speaks. Frame header, Hello, Welcome and Refusal are the same in all versions.
inline constexpr VersionRange kSpokenVersions{.lowest = 1, .highest = 1};

/// The highest version that both speak.
[[nodiscard]] std::variant<std::uint32_t, Refusal> common_version(VersionRange ours,
                                                                  VersionRange theirs);
/// Nothing when the server has chosen a version that we had offered.
[[nodiscard]] std::optional<Refusal> check_version(std::uint32_t chosen, VersionRange offered);

/// What may come next on a connection: the greeting first and once, then whatever the other end may
/// send. One thread.
class Greeting {
 public:
  /// @param peer  the other end, as its certificate says.
  explicit Greeting(Party peer) : peer_(peer) {}

  /// Looks at the type of every frame that arrives, before it is decoded. Types that are not known
  /// are let through after the greeting: decode() refuses them.
  [[nodiscard]] std::optional<Refusal> arrived(MessageType type);
  [[nodiscard]] bool is_done() const { return done_; }

 private:
  Party peer_;
  bool done_ = false;
};

}  // namespace convoy::net
