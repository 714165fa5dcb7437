// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <vector>

#include "base/log.h"
#include "trainer/federated/federation_clock.h"

namespace convoy::trainer {
namespace {

using Json = nlohmann::json;

/// How long step() waits at most, so that its caller can look at other things.
constexpr double kPatience = 0.1;
constexpr double kNeverSeconds = 1e9;

class WallClock final : public FederationClock {
 public:
  WallClock(FederatedServer& server, ClientPool& clients, const scheduler::Scenario& scenario,
            const WallClockOptions& options)
      : server_(server), clients_(clients), scenario_(scenario), options_(options) {}

  void dispatch(Assignment assignment) override {
    const double seconds = now();
    started_[assignment.client] = seconds;
    start(std::move(assignment), seconds);
    if (event_) answers_.add(std::chrono::duration<double>(Clock::now() - *event_).count());
  }

  bool step() override {
    // Before a report is taken: one that is handed out must be handled.
    if (now() > scenario_.seconds.value_or(kNeverSeconds)) return false;
    const auto timer = server_.policy().next_timer();
    if (!timer && server_.outstanding().empty()) return false;  // all have left
    double until = now() + kPatience;
    if (timer) until = std::min(until, *timer);
    if (scenario_.seconds) until = std::min(until, *scenario_.seconds);
    auto report = clients_.next(wall(until));
    const double time = std::min(now(), scenario_.seconds.value_or(kNeverSeconds));
    if (report) {
      given_up_.erase(report->client);
      event_ = report->ready;
      const double duration = time - started_[report->client];
      server_.report(time, duration, std::move(*report));
    } else if (timer && *timer <= time) {
      event_ = wall(*timer);
      server_.on_time(time);
    }
    event_.reset();
    if (time >= next_look_) {
      evict_silent(time);
      next_look_ = time + kPatience;
    }
    return true;
  }

  [[nodiscard]] std::optional<AnswerSummary> answers() const override { return answers_.summary(); }

  [[nodiscard]] double now() const override {
    return std::chrono::duration<double>(Clock::now() - start_).count();
  }

  [[nodiscard]] std::string save() const override {
    Json started = Json::array();
    for (const auto& [client, seconds] : started_) started.push_back({client, seconds});
    return Json{{"now", now()}, {"started", std::move(started)}}.dump();
  }

  void resume(const std::string& state,
              const std::map<std::int64_t, Assignment>& outstanding) override {
    const Json json = Json::parse(state);
    const double saved = json.at("now");
    start_ = Clock::now() - wall_duration(saved);
    for (const Json& item : json.at("started")) started_[item.at(0)] = item.at(1);
    for (const auto& [client, assignment] : outstanding) start(assignment, started_[client]);
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// A slow client is not a dead one: what counts is that its process runs.
  void evict_silent(double time) {
    std::vector<std::int64_t> dead;
    const auto now = Clock::now();
    for (const auto& [client, assignment] : server_.outstanding()) {
      const auto last = given_up_.contains(client) ? std::nullopt : clients_.last_sign(client);
      if (!last) continue;
      const std::chrono::duration<double> silent = now - *last;
      if (silent.count() > options_.liveness_seconds) dead.push_back(client);
    }
    for (const auto client : dead) {
      given_up_.insert(client);
      logger("trainer")->warn("client {} has given no sign of life for {:.3g} s", client,
                              options_.liveness_seconds);
      server_.evict(time, client);
    }
  }

  /// @param seconds  when it was assigned.
  void start(Assignment assignment, double seconds) {
    if (options_.throttled) {
      const auto& client = scenario_.clients[static_cast<std::size_t>(assignment.client)];
      const auto round =
          scheduler::simulate_round(client, scenario_.seed, assignment.round, assignment.steps);
      assignment.due = seconds + round.seconds;
      assignment.not_before = wall(assignment.due);
    }
    clients_.start(std::move(assignment));
  }

  static Clock::duration wall_duration(double seconds) {
    // Beyond what the clock counts nobody waits anyway.
    return std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(std::min(seconds, kNeverSeconds)));
  }
  [[nodiscard]] WallTime wall(double seconds) const { return start_ + wall_duration(seconds); }

  FederatedServer& server_;
  ClientPool& clients_;
  const scheduler::Scenario& scenario_;
  WallClockOptions options_;
  Clock::time_point start_ = Clock::now();
  std::map<std::int64_t, double> started_;  ///< by client, when it was given its assignment
  std::set<std::int64_t> given_up_;         ///< silent ones, until they report
  AnswerTimes answers_;
  std::optional<WallTime> event_;  ///< when what is being handled could be handled
  double next_look_ = 0.0;         ///< for silent ones
};

}  // namespace

std::unique_ptr<FederationClock> make_wall_clock(FederatedServer& server, ClientPool& clients,
                                                 const scheduler::Scenario& scenario,
                                                 const WallClockOptions& options) {
  return std::make_unique<WallClock>(server, clients, scenario, options);
}

}  // namespace convoy::trainer
