// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "scheduler/scenario.h"
#include "trainer/federated/answer_times.h"
#include "trainer/federated/client_pool.h"
#include "trainer/federated/federated_server.h"

namespace convoy::trainer {

/// Lets a federation happen: passes assignments on to the clients, and tells the server what has
/// happened, and when. Borrows all it is given. One thread.
class FederationClock {
 public:
  virtual ~FederationClock() = default;
  /// The server's assignments come here.
  virtual void dispatch(Assignment assignment) = 0;
  /// Handles the next event, or waits a moment for one. False when none will ever come.
  virtual bool step() = 0;
  /// How long clients waited for their answers; nothing where time is not real.
  [[nodiscard]] virtual std::optional<AnswerSummary> answers() const { return std::nullopt; }
  /// Seconds since the start.
  [[nodiscard]] virtual double now() const = 0;

  /// What a checkpoint must hold of the clock, as JSON.
  [[nodiscard]] virtual std::string save() const = 0;
  /// Goes on at the saved time, and gives `outstanding` out again. Training starts anew in them;
  /// under the virtual clock they arrive when they would have.
  virtual void resume(const std::string& state,
                      const std::map<std::int64_t, Assignment>& outstanding) = 0;
};

/// How the clients of a run in real time are watched.
struct WallClockOptions {
  /// A report is held back until the time that the scenario says has passed since its assignment.
  bool throttled = false;
  /// A client that has given no sign of life for so many seconds is evicted; infinite: never.
  double liveness_seconds = std::numeric_limits<double>::infinity();
};

/// Time is what the scenario says, whatever training takes: the order and the times of all events
/// are a function of the scenario. Ties: arrivals before timers, arrivals in the order of dispatch.
/// Nobody can stand in for a client that has really died: step() then throws a CommError.
/// @param liveness_seconds  without a sign of life, after which a client is dead.
[[nodiscard]] std::unique_ptr<FederationClock> make_virtual_clock(
    FederatedServer& server, ClientPool& clients, const scheduler::Scenario& scenario,
    double liveness_seconds);

/// Real time.
[[nodiscard]] std::unique_ptr<FederationClock> make_wall_clock(FederatedServer& server,
                                                               ClientPool& clients,
                                                               const scheduler::Scenario& scenario,
                                                               const WallClockOptions& options);

}  // namespace convoy::trainer
