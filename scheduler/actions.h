// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace convoy::scheduler {

/// What callers name a client by; any number.
using ClientId = std::int64_t;

/// Why a global model was made.
enum class Trigger : std::uint8_t {
  kFirst,     ///< a client's first report, alone
  kComplete,  ///< everybody who was waited for has arrived
  kTimer,     ///< the group's latest time, or the round's deadline, has come
  kLate,      ///< late updates have waited long enough
  kEvict,     ///< the last client that was waited for was evicted or left
};

/// "first", "complete", "timer", "late" or "evict".
[[nodiscard]] std::string_view to_text(Trigger trigger);

/// One update in a sum. (client, round) names the update: a client may stand in a sum twice.
struct Contribution {
  ClientId client = 0;
  std::int64_t round = 0;        ///< Assign::round that the update answers
  std::int64_t version = 0;      ///< the model version that it was trained from
  std::int64_t staleness = 0;    ///< the version before this aggregation minus `version`
  std::int64_t local_steps = 0;  ///< steps done
  bool late = false;             ///< from the buffer of late updates
  /// c_i of scheduler/aggregation_weights.h, for the rule of the policy's algorithm.
  double coefficient = 0.0;
};

/// Sum these updates, in this order, into the global model: the model becomes `version`.
struct Aggregate {
  Trigger trigger = Trigger::kComplete;
  std::optional<std::int64_t> group;  ///< none for kFirst, kLate and algorithms without groups
  std::vector<Contribution> members;  ///< late ones first
  std::int64_t version = 0;
};

/// Send the current model to a client and let it train.
struct Assign {
  enum class Kind : std::uint8_t {
    kFirst,   ///< before the client's first report ("dispatch" in events)
    kNext,    ///< the answer to an update
    kResend,  ///< the same assignment again, to a client that has lost its connection
  };
  Kind kind = Kind::kNext;
  ClientId client = 0;
  std::int64_t round = 0;  ///< counts the client's assignments from 0; its update must name it
  std::int64_t local_steps = 0;
  std::int64_t version = 0;  ///< of the model that it gets
  std::optional<std::int64_t> group;
  std::optional<double> expected_arrival;   ///< of its group, seconds since the start
  std::optional<double> latest_arrival;     ///< of its group: later is late
  std::optional<double> predicted_arrival;  ///< of this client, by its own measured speed
};

/// The client's update came after its group's latest time and waits in the buffer.
struct Late {
  ClientId client = 0;
};

/// The policy waits for this client no longer.
struct Evict {
  ClientId client = 0;
};

/// The update must not be used. Counted, and never fatal.
struct Refuse {
  ClientId client = 0;
  std::string reason;
};

/// The end: what was left. Sum it as an Aggregate, so that no update is lost; empty lists are
/// possible, and then the version stays.
struct Flush {
  std::vector<ClientId> waiting;      ///< whose updates had arrived and waited for others
  std::vector<ClientId> late;         ///< whose updates stood in the buffer of late ones
  std::vector<Contribution> members;  ///< late ones first, then the waiting ones
  std::int64_t version = 0;
};

using Action = std::variant<Aggregate, Assign, Late, Evict, Refuse, Flush>;
/// To be done in this order.
using Actions = std::vector<Action>;

}  // namespace convoy::scheduler
