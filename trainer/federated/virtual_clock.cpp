// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <queue>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "trainer/federated/federation_clock.h"

namespace convoy::trainer {
namespace {

using Json = nlohmann::json;

/// How long step() waits at most, so that its caller can look at other things.
constexpr std::chrono::milliseconds kPatience{50};

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
  VirtualClock(FederatedServer& server, ClientPool& clients, const scheduler::Scenario& scenario,
               double liveness_seconds)
      : server_(server),
        clients_(clients),
        scenario_(scenario),
        liveness_seconds_(liveness_seconds) {}

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
    if (is_arrival) {
      arrive();
    } else {
      now_ = std::max(now_, time);
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
  /// The next arrival happens when the real report has come. Until then, a moment at a time.
  void arrive() {
    const Arrival arrival = arrivals_.top();
    auto report = clients_.report_of(arrival.client, std::chrono::steady_clock::now() + kPatience);
    if (!report) return require_alive(arrival.client);
    arrivals_.pop();
    now_ = std::max(now_, arrival.time);
    server_.report(arrival.time, arrival.duration, std::move(*report));
  }

  void require_alive(std::int64_t client) const {
    const auto last = clients_.last_sign(client);
    if (!last) return;
    const std::chrono::duration<double> silent = std::chrono::steady_clock::now() - *last;
    if (silent.count() <= liveness_seconds_) return;
    throw CommError(
        fmt::format("client {} has given no sign of life for {:.3g} s, and under the "
                    "virtual clock the others cannot go on without it",
                    client, silent.count()));
  }

  FederatedServer& server_;
  ClientPool& clients_;
  const scheduler::Scenario& scenario_;
  double liveness_seconds_;
  std::priority_queue<Arrival, std::vector<Arrival>, std::greater<>> arrivals_;
  std::int64_t dispatches_ = 0;
  double now_ = 0.0;
};

}  // namespace

std::unique_ptr<FederationClock> make_virtual_clock(FederatedServer& server, ClientPool& clients,
                                                    const scheduler::Scenario& scenario,
                                                    double liveness_seconds) {
  return std::make_unique<VirtualClock>(server, clients, scenario, liveness_seconds);
}

}  // namespace convoy::trainer
