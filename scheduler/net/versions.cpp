// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/versions.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace convoy::net {

std::variant<std::uint32_t, Refusal> common_version(VersionRange ours, VersionRange theirs) {
  const std::uint32_t highest = std::min(ours.highest, theirs.highest);
  if (highest >= std::max(ours.lowest, theirs.lowest)) return highest;
  return Refusal{.code = RefusalCode::kNoCommonVersion,
                 .text = fmt::format("this end speaks versions {} to {} of the protocol, the other "
                                     "{} to {}: the older program must be updated",
                                     ours.lowest, ours.highest, theirs.lowest, theirs.highest)};
}

std::optional<Refusal> check_version(std::uint32_t chosen, VersionRange offered) {
  if (chosen >= offered.lowest && chosen <= offered.highest) return std::nullopt;
  return Refusal{.code = RefusalCode::kNoCommonVersion,
                 .text = fmt::format("the server has chosen version {} of the protocol, offered "
                                     "were {} to {}",
                                     chosen, offered.lowest, offered.highest)};
}

std::optional<Refusal> Greeting::arrived(MessageType type) {
  const bool from_server = peer_ == Party::kServer;
  const MessageType greeting = from_server ? MessageType::kWelcome : MessageType::kHello;
  const bool is_greeting = type == greeting;
  if (!done_ && !is_greeting) {
    // A server that refuses us, or goes, says so instead of its greeting.
    const bool is_end = type == MessageType::kRefusal || type == MessageType::kGoodbye;
    if (from_server && is_end) return std::nullopt;
    return Refusal{.code = RefusalCode::kUnexpected,
                   .text = fmt::format("the first message of a {} is {}, not {}", to_text(peer_),
                                       to_text(greeting), to_text(type))};
  }
  if (done_ && is_greeting) {
    return Refusal{.code = RefusalCode::kUnexpected,
                   .text = fmt::format("a second {}", to_text(type))};
  }
  done_ = true;
  return std::nullopt;
}

}  // namespace convoy::net
