// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/sha256.h"
#include "scheduler/event_log.h"

namespace convoy::scheduler::journal {

/// An input of the scheduler that brings no update: join, timer, evict, leave, shutdown.
struct InputEntry {
  Input input;
  std::string site;  ///< empty for timer and shutdown
};

/// An update that has been received whole; its payload is in the PayloadStore as (site, id).
struct UpdateEntry {
  Input input;  ///< kArrive, with `samples`
  std::string site;
  std::string id;
  Sha256 sha256{};
  std::uint64_t bytes = 0;
  /// What else its sender has said of it, and the Policy need not know: the caller's text.
  std::string facts{};
};

/// What an operator has ordered.
struct CommandEntry {
  double time = 0.0;
  std::string from;  ///< the operator's name
  std::string command;
};

/// Something about the clock.
struct ClockEntry {
  enum class Kind : std::uint8_t {
    kStart,  ///< the server has come up, and the clock goes on at `time`
    kStop,   ///< the server ends in order
    kTick,   ///< nothing: only that it is so late
  };
  Kind kind = Kind::kTick;
  double time = 0.0;
  std::int64_t unix_nanoseconds = 0;  ///< for people only
};

using Entry = std::variant<InputEntry, UpdateEntry, CommandEntry, ClockEntry>;

/// Seconds of the run's clock.
[[nodiscard]] double time_of(const Entry& entry);

/// An entry as a record of a WriteAheadLog; docs/durability.md has the bytes.
struct EncodedEntry {
  std::uint16_t type = 0;
  std::vector<std::byte> payload;
};
/// @throws ConfigError where a site's or update's name is not allowed.
[[nodiscard]] EncodedEntry encode(const Entry& entry);
/// @throws DamageError where encode() writes no such thing.
[[nodiscard]] Entry decode(std::uint16_t type, std::span<const std::byte> payload);

}  // namespace convoy::scheduler::journal
