// SPDX-License-Identifier: Apache-2.0
#include "scheduler/simulator.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/errors.h"
#include "scheduler/tally.h"

namespace convoy::scheduler {
namespace {

/// An update on its way.
struct Arrival {
  double time = 0.0;
  std::int64_t dispatch = 0;  ///< counts assignments: of arrivals at one time the first goes first
  std::size_t client = 0;     ///< index into the scenario's
  double duration = 0.0;
  std::int64_t round = 0;
  std::int64_t local_steps = 0;

  [[nodiscard]] bool operator>(const Arrival& other) const {
    return std::pair(time, dispatch) > std::pair(other.time, other.dispatch);
  }
};

class Simulation {
 public:
  Simulation(const Scenario& scenario, EventLog::Sink sink)
      : scenario_(scenario),
        policy_(make_policy(scenario.policy)),
        log_(*policy_, std::move(sink)),
        arrivals_(scenario.clients.size(), 0) {
    for (std::size_t i = 0; i < scenario.clients.size(); ++i) {
      index_.emplace(scenario.clients[i].id, i);
    }
  }

  void run() {
    for (const SimulatedClient& client : scenario_.clients) {
      handle({.kind = Input::Kind::kJoin,
              .time = 0.0,
              .update = {.client = client.id},
              .samples = client.samples});
    }
    while (step()) {
    }
  }

  [[nodiscard]] Summary summary() const { return tally_.summary(*policy_, now_); }

  void shut_down() { log_.handle({.kind = Input::Kind::kShutdown, .time = now_}); }

 private:
  /// The next event, if the run still goes on.
  bool step() {
    if (scenario_.arrivals && policy_->counts().received >= *scenario_.arrivals) return false;
    const auto timer = policy_->next_timer();
    if (queue_.empty() && !timer) return false;
    const bool is_arrival = !queue_.empty() && (!timer || queue_.top().time <= *timer);
    const double time = is_arrival ? queue_.top().time : *timer;
    if (scenario_.seconds && time > *scenario_.seconds) {
      now_ = *scenario_.seconds;
      return false;
    }
    now_ = std::max(now_, time);
    if (is_arrival) {
      arrive();
    } else {
      handle({.kind = Input::Kind::kTimer, .time = now_});
    }
    return true;
  }

  void arrive() {
    const Arrival arrival = queue_.top();
    queue_.pop();
    ++arrivals_[arrival.client];
    handle({.kind = Input::Kind::kArrive,
            .time = arrival.time,
            .update = {.client = scenario_.clients[arrival.client].id,
                       .round = arrival.round,
                       .local_steps = arrival.local_steps},
            .duration = arrival.duration});
  }

  void handle(const Input& input) {
    const Actions actions = log_.handle(input);
    tally_.on_input(input);
    tally_.on_actions(now_, actions);
    for (const Action& action : actions) {
      if (const auto* assign = std::get_if<Assign>(&action)) dispatch(*assign);
    }
  }

  void dispatch(const Assign& assign) {
    const std::size_t client = index_.at(assign.client);
    const SimulatedRound round = simulate_round(scenario_.clients[client], scenario_.seed,
                                                arrivals_[client], assign.local_steps);
    const std::int64_t order = dispatches_++;
    if (!round.ends || round.absent > 0.0) {
      tally_.on_absence(assign.client,
                        round.ends ? round.absent : std::numeric_limits<double>::infinity());
    }
    if (!round.ends) return;
    const double time = now_ + round.seconds;
    require_config(
        std::isfinite(time),
        fmt::format("client {} reports at a time too large for a number", assign.client));
    queue_.push({.time = time,
                 .dispatch = order,
                 .client = client,
                 .duration = round.seconds,
                 .round = assign.round,
                 .local_steps = assign.local_steps});
  }

  const Scenario& scenario_;
  std::unique_ptr<Policy> policy_;
  EventLog log_;
  Tally tally_;
  std::unordered_map<ClientId, std::size_t> index_;
  std::vector<std::int64_t> arrivals_;  // of each client
  std::priority_queue<Arrival, std::vector<Arrival>, std::greater<>> queue_;
  std::int64_t dispatches_ = 0;
  double now_ = 0.0;
};

}  // namespace

Summary simulate(const Scenario& scenario, EventLog::Sink sink,
                 const std::function<void(const Summary&)>& before_flush) {
  Simulation simulation(scenario, std::move(sink));
  simulation.run();
  Summary summary = simulation.summary();
  if (before_flush) before_flush(summary);
  simulation.shut_down();
  return summary;
}

}  // namespace convoy::scheduler
