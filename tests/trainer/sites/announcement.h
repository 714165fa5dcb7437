// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <spdlog/fmt/fmt.h>

#include <cstddef>
#include <iterator>
#include <span>

#include "base/sha256.h"
#include "scheduler/net/stream_messages.h"

namespace convoy::tests {

/// What is said of an update of these bytes.
/// @param round  a net::Dispatch or a trainer::Assignment.
template <typename Round>
[[nodiscard]] net::UploadBegin announcement(const Round& round, std::span<const std::byte> bytes) {
  return {.update_id = fmt::format("r{}", round.round),
          .sha256 = sha256(bytes),
          .bytes = std::ssize(bytes),
          .round = round.round,
          .version = round.version,
          .steps = round.steps,
          .samples = 10,
          .position = round.position + round.steps,
          .training_seconds = 0.5,
          .metrics = {{"loss", 0.25}, {"trained", 16}}};
}

}  // namespace convoy::tests
