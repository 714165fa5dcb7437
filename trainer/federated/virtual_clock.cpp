// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <queue>
#include <utility>
#include <vector>

#include "trainer/federated/federation_clock.h"

namespace convoy::trainer {
namespace {

using Json = nlohmann::json;

/// A report on its way.
struct Arrival {
  double time = 0.0;
  std::int64_t dispatch = 0;  ///< counts assignments
  std::int64_t client = 0;
  double duration = 0.0;

  [[nodiscard]] bool operator>(const Arrival& other) const {
    return std::pair(time, dispatch) > std::pair(other.time, other.dispatch);
  }
};

class VirtualClock final : public FederationClock {
 public:
  VirtualClock(FederatedServer& server, ClientPool& clients, const scheduler::Scenario& scenario)
      : server_(server), clients_(clients), scenario_(scenario) {}

  void dispatch(Assignment assignment) override {
    const auto& client = scenario_.clients[static_cast<std::size_t>(assignment.client)];
    const auto round =
        scheduler::simulate_round(client, scenario_.seed, assignment.round, assignment.steps);
    assignment.due = now_ + round.seconds;
    arrivals_.push({assignment.due, dispatches_++, assignment.client, round.seconds});
    clients_.start(std::move(assignment));
  }

  bool step() override {
    const auto timer = server_.policy().next_timer();
    if (arrivals_.empty() && !timer) return false;
    const bool is_arrival = !arrivals_.empty() && (!timer || arrivals_.top().time <= *timer);
    const double time = is_arrival ? arrivals_.top().time : *timer;
    if (scenario_.seconds && time > *scenario_.seconds) {
      now_ = *scenario_.seconds;
      return false;
    }
    now_ = std::max(now_, time);
    if (is_arrival) {
      const Arrival arrival = arrivals_.top();
      arrivals_.pop();
      server_.report(arrival.time, arrival.duration, clients_.wait_for(arrival.client));
    } else {
      server_.on_time(now_);
    }
    return true;
  }

  [[nodiscard]] double now() const override { return now_; }

  [[nodiscard]] std::string save() const override {
    Json arrivals = Json::array();
    for (auto queue = arrivals_; !queue.empty(); queue.pop()) {
      const Arrival& next = queue.top();
      arrivals.push_back({next.time, next.dispatch, next.client, next.duration});
    }
    return Json{{"now", now_}, {"dispatches", dispatches_}, {"arrivals", std::move(arrivals)}}
        .dump();
  }

  void resume(const std::string& state,
              const std::map<std::int64_t, Assignment>& outstanding) override {
    const Json json = Json::parse(state);
    now_ = json.at("now");
    dispatches_ = json.at("dispatches");
    for (const Json& item : json.at("arrivals")) {
      const Arrival arrival{item.at(0), item.at(1), item.at(2), item.at(3)};
      arrivals_.push(arrival);
      Assignment assignment = outstanding.at(arrival.client);
      assignment.due = arrival.time;
      clients_.start(std::move(assignment));
    }
  }

 private:
  FederatedServer& server_;
  ClientPool& clients_;
  const scheduler::Scenario& scenario_;
  std::priority_queue<Arrival, std::vector<Arrival>, std::greater<>> arrivals_;
  std::int64_t dispatches_ = 0;
  double now_ = 0.0;
};

}  // namespace

std::unique_ptr<FederationClock> make_virtual_clock(FederatedServer& server, ClientPool& clients,
                                                    const scheduler::Scenario& scenario) {
  return std::make_unique<VirtualClock>(server, clients, scenario);
}

}  // namespace convoy::trainer
