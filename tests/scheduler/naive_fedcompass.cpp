// SPDX-License-Identifier: Apache-2.0
#include "tests/scheduler/naive_fedcompass.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "scheduler/simulator.h"

namespace convoy::tests {
namespace {

using scheduler::ClientId;
constexpr double kNever = std::numeric_limits<double>::infinity();

struct Buffered {
  int client;
  std::int64_t version;
};

struct Group {
  std::vector<int> outstanding;
  std::vector<Buffered> arrived;
  double expected;
  double latest;
  bool exists = true;
};

struct Client {
  double speed = 0.0;
  double start = 0.0;
  double arrival = kNever;
  std::int64_t order = 0;
  std::int64_t steps = 0;
  std::int64_t version = 0;
  std::int64_t arrivals = 0;
  int group = -1;
  bool training = false;
  bool evicted = false;
};

class Naive {
 public:
  explicit Naive(const scheduler::Scenario& scenario)
      : scenario_(scenario), clients_(scenario.clients.size()) {}

  std::vector<std::string> run() {
    for (int c = 0; c < static_cast<int>(clients_.size()); ++c) {
      dispatch(c, scenario_.policy.initial_steps());
    }
    for (std::int64_t n = 0; n < scenario_.arrivals.value();) {
      const int c = first_arrival();
      const double timer = first_timer();
      const double arrival = c < 0 ? kNever : clients_[c].arrival;
      if (arrival == kNever && timer == kNever) break;
      if (arrival <= timer) {
        t_ = arrival;
        arrive(c);
        ++n;
      } else {
        t_ = timer;
        fire();
      }
    }
    return lines_;
  }

 private:
  int first_arrival() const {
    int best = -1;
    for (int c = 0; c < static_cast<int>(clients_.size()); ++c) {
      const Client& a = clients_[c];
      if (!a.training || a.arrival == kNever) continue;
      if (best < 0 || a.arrival < clients_[best].arrival ||
          (a.arrival == clients_[best].arrival && a.order < clients_[best].order)) {
        best = c;
      }
    }
    return best;
  }

  double eviction(const Client& c) const {
    return c.training && !c.evicted ? c.start + scenario_.policy.evict_after : kNever;
  }

  double first_timer() const {
    double first = late_.empty() ? kNever : late_since_ + scenario_.policy.late_flush_after;
    for (const Group& g : groups_) {
      if (g.exists && !g.arrived.empty()) first = std::min(first, g.latest);
    }
    for (const Client& c : clients_) first = std::min(first, eviction(c));
    return first;
  }

  void fire() {
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      if (!groups_[g].exists || groups_[g].arrived.empty() || groups_[g].latest != t_) continue;
      return aggregate(static_cast<int>(g), "timer");
    }
    if (!late_.empty() && late_since_ + scenario_.policy.late_flush_after == t_) {
      return sum("late", {}, -1);
    }
    int due = -1;
    for (int c = 0; c < static_cast<int>(clients_.size()); ++c) {
      if (eviction(clients_[c]) != t_) continue;
      if (due < 0 || scenario_.clients[c].id < scenario_.clients[due].id) due = c;
    }
    evict(due);
  }

  void evict(int c) {
    clients_[c].evicted = true;
    lines_.push_back(fmt::format("evict {} {}", t_, id(c)));
    const int g = leave_group(c);
    if (g >= 0 && groups_[g].exists && groups_[g].outstanding.empty()) aggregate(g, "evict");
  }

  /// The group that it was in.
  int leave_group(int c) {
    const int g = clients_[c].group;
    clients_[c].group = -1;
    if (g < 0) return -1;
    std::erase(groups_[g].outstanding, c);
    groups_[g].exists = !groups_[g].outstanding.empty() || !groups_[g].arrived.empty();
    return g;
  }

  void arrive(int c) {
    Client& client = clients_[c];
    const bool first = client.speed == 0.0;
    const bool evicted = client.evicted;
    client.training = false;
    client.evicted = false;
    ++client.arrivals;
    const double m = scenario_.policy.speed_momentum;
    const double measured = (t_ - client.start) / static_cast<double>(client.steps);
    client.speed = first ? measured : (1.0 - m) * client.speed + m * measured;
    client.speed = std::max(client.speed, 1e-9);
    if (first && !evicted) {
      sum("first", {{c, client.version}}, -1);
      assign(c);
    } else if (!evicted && t_ <= groups_[client.group].latest) {
      Group& g = groups_[client.group];
      std::erase(g.outstanding, c);
      g.arrived.push_back({c, client.version});
      if (g.outstanding.empty()) aggregate(client.group, "complete");
    } else {
      leave_group(c);
      if (late_.empty()) late_since_ = t_;
      late_.push_back({c, client.version});
      lines_.push_back(fmt::format("late {} {}", t_, id(c)));
      assign(c);
    }
  }

  void sum(const std::string& trigger, const std::vector<Buffered>& arrived, int group) {
    std::vector<std::int64_t> staleness;
    std::vector<ClientId> late;
    std::vector<ClientId> clients;
    for (const Buffered& b : late_) late.push_back(id(b.client));
    if (trigger == "first") late.clear();
    if (trigger != "first") {
      for (const Buffered& b : late_) staleness.push_back(version_ - b.version);
      late_.clear();
    }
    for (const Buffered& b : arrived) staleness.push_back(version_ - b.version);
    for (const Buffered& b : arrived) clients.push_back(id(b.client));
    ++version_;
    lines_.push_back(fmt::format("aggregate {} {} {} [{}] [{}] {} [{}]", t_, trigger, group,
                                 fmt::join(clients, ","), fmt::join(late, ","), version_,
                                 fmt::join(staleness, ",")));
  }

  void aggregate(int g, const std::string& trigger) {
    const std::vector<Buffered> arrived = groups_[g].arrived;
    sum(trigger, arrived, g);
    groups_[g].arrived.clear();
    groups_[g].expected = groups_[g].latest = 0.0;
    std::vector<int> order;
    for (const Buffered& b : arrived) order.push_back(b.client);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return clients_[a].speed < clients_[b].speed; });
    for (const int c : order) assign(c);
    groups_[g].exists = !groups_[g].outstanding.empty();
  }

  void assign(int c) {
    const double speed = clients_[c].speed;
    const auto qmin = static_cast<double>(scenario_.policy.min_local_steps);
    const auto qmax = static_cast<double>(scenario_.policy.max_local_steps);
    int joined = -1;
    double steps = -1.0;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      if (!groups_[g].exists) continue;
      const double q = std::floor((groups_[g].expected - t_) / speed + 1e-9);
      if (q < qmin || q > qmax || q < steps) continue;
      joined = static_cast<int>(g);
      steps = q;
    }
    if (joined < 0) {
      steps = steps_to_create(speed, qmin, qmax);
      joined = static_cast<int>(groups_.size());
      groups_.push_back({.outstanding = {},
                         .arrived = {},
                         .expected = t_ + steps * speed,
                         .latest = t_ + steps * speed * scenario_.policy.latest_time_factor});
    }
    groups_[joined].outstanding.push_back(c);
    clients_[c].group = joined;
    dispatch(c, static_cast<std::int64_t>(steps));
    lines_.push_back(fmt::format("assign {} {} {} {} {} {}", t_, id(c), joined, steps,
                                 groups_[joined].expected, groups_[joined].latest));
  }

  double steps_to_create(double speed, double qmin, double qmax) const {
    double most = -1.0;
    for (const Group& g : groups_) {
      if (!g.exists || t_ >= g.latest) continue;
      double fastest = kNever;
      for (const int c : g.outstanding) fastest = std::min(fastest, clients_[c].speed);
      for (const Buffered& b : g.arrived) fastest = std::min(fastest, clients_[b.client].speed);
      const double q = std::floor((g.latest + fastest * qmax - t_) / speed + 1e-9);
      if (q <= qmax) most = std::max(most, q);
    }
    if (most < 0.0) return qmax;
    return std::max(most, qmin);
  }

  void dispatch(int c, std::int64_t steps) {
    Client& client = clients_[c];
    const auto round =
        scheduler::simulate_round(scenario_.clients[c], scenario_.seed, client.arrivals, steps);
    client.training = true;
    client.steps = steps;
    client.version = version_;
    client.start = t_;
    client.order = orders_++;
    client.arrival = round.ends ? t_ + round.seconds : kNever;
  }

  ClientId id(int c) const { return scenario_.clients[c].id; }

  const scheduler::Scenario& scenario_;
  std::vector<Client> clients_;
  std::vector<Group> groups_;
  std::vector<Buffered> late_;
  double late_since_ = 0.0;
  double t_ = 0.0;
  std::int64_t version_ = 0;
  std::int64_t orders_ = 0;
  std::vector<std::string> lines_;
};

std::string list(const nlohmann::json& values) {
  return fmt::format("[{}]", fmt::join(values.get<std::vector<std::int64_t>>(), ","));
}

}  // namespace

std::vector<std::string> naive_fedcompass(const scheduler::Scenario& scenario) {
  return Naive(scenario).run();
}

std::vector<std::string> simulated_decisions(const scheduler::Scenario& scenario) {
  std::vector<std::string> lines;
  scheduler::simulate(scenario, [&](std::string_view text) {
    const auto line = nlohmann::json::parse(text);
    const std::string kind = line.at("kind");
    const double t = line.at("t");
    if (kind == "late" || kind == "evict") {
      lines.push_back(fmt::format("{} {} {}", kind, t, line.at("client").get<ClientId>()));
    } else if (kind == "aggregate") {
      const auto& group = line.at("group");
      lines.push_back(
          fmt::format("aggregate {} {} {} {} {} {} {}", t, line.at("trigger").get<std::string>(),
                      group.is_null() ? -1 : group.get<int>(), list(line.at("clients")),
                      list(line.at("late_clients")), line.at("version").get<std::int64_t>(),
                      list(line.at("staleness"))));
    } else if (kind == "assign") {
      lines.push_back(fmt::format("assign {} {} {} {} {} {}", t, line.at("client").get<ClientId>(),
                                  line.at("group").get<int>(), line.at("local_steps").get<double>(),
                                  line.at("expected_arrival").get<double>(),
                                  line.at("latest_arrival").get<double>()));
    }
  });
  return lines;
}

}  // namespace convoy::tests
