// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/net/session_messages.h"

namespace convoy::net {

/// One page of the server's state, please. A site is shown only itself.
struct StatusRequest {
  static constexpr MessageType kType = MessageType::kStatusRequest;
  std::int64_t first = 0;  ///< sites are numbered from 0, by name
  bool operator==(const StatusRequest&) const = default;
};

/// Why a site takes no part any more.
enum class Parting : std::uint8_t { kNone, kLeft, kRemoved };
inline constexpr Parting kLastParting = Parting::kRemoved;

struct SiteStatus {
  std::string name;
  Activity activity = Activity::kIdle;
  bool connected = false;
  std::optional<double> seconds_per_step{};
  std::optional<std::int64_t> group{};
  std::int64_t round = 0;
  std::int64_t steps = 0;
  std::int64_t version = 0;
  std::int64_t bytes_up = 0;
  std::int64_t bytes_down = 0;
  double silent_seconds = 0.0;
  Parting parting = Parting::kNone;
  bool operator==(const SiteStatus&) const = default;
};

enum class RunPhase : std::uint8_t { kWaiting = 1, kRunning, kPaused, kFinishing, kFinished };
inline constexpr RunPhase kLastRunPhase = RunPhase::kFinished;

/// More sites than this make another page.
inline constexpr std::size_t kMaxSitesPerStatus = 256;

struct Status {
  static constexpr MessageType kType = MessageType::kStatus;
  std::string run;
  RunPhase phase = RunPhase::kWaiting;
  std::int64_t version = 0;
  double seconds = 0.0;      ///< of the scheduler's clock
  std::int64_t updates = 0;  ///< received
  std::int64_t pending = 0;  ///< received, neither aggregated nor refused
  std::int64_t total_sites = 0;
  std::int64_t first = 0;  ///< the number of sites[0]
  std::vector<SiteStatus> sites;
  std::int64_t awaited_sites = 0;  ///< so many must be there before the run begins; 0: it has
  bool operator==(const Status&) const = default;
};

enum class OperatorOrder : std::uint8_t { kPause = 1, kResume, kRemove, kFinish };
inline constexpr OperatorOrder kLastOperatorOrder = OperatorOrder::kFinish;

/// Answered by Accepted or Refusal.
struct Command {
  static constexpr MessageType kType = MessageType::kCommand;
  OperatorOrder order = OperatorOrder::kPause;
  std::optional<std::string> site{};  ///< exactly for kRemove
  bool operator==(const Command&) const = default;
};

}  // namespace convoy::net
