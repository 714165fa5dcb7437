// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "scheduler/actions.h"
#include "scheduler/policy_config.h"

namespace convoy::scheduler {

/// An update that has been received whole.
struct Update {
  ClientId client = 0;
  std::int64_t round = 0;        ///< Assign::round that it answers
  std::int64_t local_steps = 0;  ///< steps done, 1..assigned
  bool finite = true;            ///< false where any value in it is NaN or infinite
  /// false where the server was down in the meantime: what the round took is not known then, and
  /// the client's speed stays as it is.
  bool measures_speed = true;
};

/// What has happened to updates so far: received = aggregated + refused + Policy::pending().
struct Counts {
  std::int64_t received = 0;
  std::int64_t aggregated = 0;
  std::int64_t refused = 0;
  std::int64_t late = 0;
  std::int64_t evicted = 0;
};

/// Decides which client trains how long, and when which updates become a new model. A state
/// machine: events and the time go in, decisions come out; it owns no thread, clock or socket. The
/// same object serves virtual, throttled and live runs, and the same events give the same
/// decisions to the bit.
///
/// Times are seconds since the federation's start and never go back; a call with an earlier time
/// than the one before is taken to happen at that one. Not thread-safe. A call costs O(log(clients)
/// + groups that it changes), and O(members) where it aggregates.
class Policy {
 public:
  virtual ~Policy() = default;
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;

  /// A new client, or a known one that is back: it keeps identity and speed, and gets its
  /// unfinished assignment again (Assign::Kind::kResend) unless it was evicted or had left.
  /// @param samples  n_i of the weights, positive; fixed at the first join.
  [[nodiscard]] virtual Actions join(double now, ClientId client, std::int64_t samples) = 0;

  /// An update has arrived. One that is a duplicate, out of round, of an unknown client, with steps
  /// outside 1..assigned or not finite is answered by Refuse (and, where the client would else be
  /// without work, an Assign).
  [[nodiscard]] virtual Actions update(double now, const Update& update) = 0;

  /// The client gives no sign of life: nobody waits for it from now on. Clients that wait for an
  /// answer, and unknown ones, are not evicted. Its update is still welcome, as a late one.
  [[nodiscard]] virtual Actions evict(double now, ClientId client) = 0;

  /// The client is gone for good, unless it joins again. An update that it has delivered stays.
  [[nodiscard]] virtual Actions leave(double now, ClientId client) = 0;

  /// Does one thing that is due; call again until next_timer() is later than `now`.
  [[nodiscard]] virtual Actions on_time(double now) = 0;

  /// The end: one Flush. Every later update is refused; nothing is pending any more.
  [[nodiscard]] virtual Actions shutdown(double now) = 0;

  /// For a server that adds updates up as they come, and does not keep them: what the coefficient
  /// of this client's update, should it be accepted now, will be in proportion to, for all updates
  /// of its sum by one factor. Asked before update(). Nothing where that is known only when the sum
  /// is made: FedCompass takes staleness and the sum of all n_i then. FedAsync makes it at once.
  [[nodiscard]] virtual std::optional<double> weight_on_arrival(ClientId client) const = 0;

  /// When on_time() has something to do. Changes with every call above.
  [[nodiscard]] virtual std::optional<double> next_timer() const = 0;

  /// How often the global model has changed.
  [[nodiscard]] virtual std::int64_t version() const = 0;
  [[nodiscard]] virtual const Counts& counts() const = 0;
  /// Updates that have arrived and are neither aggregated nor refused.
  [[nodiscard]] virtual std::int64_t pending() const = 0;

  /// The whole state as one JSON text, except for the config. Times stay as they are: whoever loads
  /// it goes on counting at now(), so that every timer has as long to run as it had.
  [[nodiscard]] virtual std::string save() const = 0;
  /// Replaces the state. @throws ConfigError if `state` is not save()'s of the same algorithm.
  virtual void load(const std::string& state) = 0;
  /// The time of the newest event.
  [[nodiscard]] virtual double now() const = 0;

 protected:
  Policy() = default;
};

/// @throws ConfigError as check().
[[nodiscard]] std::unique_ptr<Policy> make_policy(const PolicyConfig& config);

}  // namespace convoy::scheduler
