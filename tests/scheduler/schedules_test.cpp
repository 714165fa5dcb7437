// SPDX-License-Identifier: Apache-2.0
// What must hold under every schedule, on random ones.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/random.h"
#include "scheduler/simulator.h"
#include "tests/scheduler/actions.h"
#include "tests/scheduler/random_scenarios.h"

namespace convoy::tests {
namespace {

using namespace scheduler;
using Json = nlohmann::json;

constexpr Algorithm kAll[] = {Algorithm::kFedCompass, Algorithm::kFedAvg, Algorithm::kFedAsync,
                              Algorithm::kFedBuff};

/// Everything that can happen to a server, also what should not: callbacks that come late,
/// duplicates, strangers, bad updates, clients that come and go.
class Chaos {
 public:
  Chaos(std::uint64_t seed, Algorithm algorithm)
      : random_({seed, 0x6368616f73ULL}),
        policy_(make_policy(random_scenario(seed, algorithm).policy)) {}

  void run(int events) {
    for (int i = 0; i < events; ++i) {
      now_ += random_.uniform() < 0.3 ? 0.0 : 10.0 * random_.uniform();
      take(event());
      ASSERT_NO_FATAL_FAILURE(check());
    }
    take(policy_->shutdown(now_));
    check();
    EXPECT_EQ(policy_->pending(), 0);
    EXPECT_EQ(received_, policy_->counts().received);
    EXPECT_EQ(aggregated_.size(), static_cast<std::size_t>(policy_->counts().aggregated));
  }

 private:
  Actions event() {
    const ClientId client = static_cast<ClientId>(random_.below(12));
    const double what = random_.uniform();
    if (what < 0.1) return policy_->join(now_, client, 1 + static_cast<std::int64_t>(client));
    if (what < 0.13) return policy_->leave(now_, client);
    if (what < 0.16) return policy_->evict(now_, client);
    if (what < 0.3) return policy_->on_time(now_);
    ++received_;
    const auto found = work_.find(client);
    Update update{.client = client};
    if (found != work_.end()) {
      update.round = found->second.round - (random_.uniform() < 0.05 ? 1 : 0);
      update.local_steps = 1 + static_cast<std::int64_t>(random_.below(
                                   static_cast<std::uint64_t>(found->second.local_steps)));
      if (random_.uniform() < 0.03) update.local_steps += 1000;
      update.finite = random_.uniform() > 0.05;
    }
    const auto weight = policy_->weight_on_arrival(client);
    if (weight) weights_.emplace(std::pair(client, update.round), *weight);
    return policy_->update(now_, update);
  }

  void take(const Actions& actions) {
    for (const auto& action : actions) {
      if (const auto* assign = std::get_if<Assign>(&action)) work_[assign->client] = *assign;
      if (const auto* sum = std::get_if<Aggregate>(&action)) count(sum->members);
      if (const auto* flush = std::get_if<Flush>(&action)) count(flush->members);
    }
  }

  /// Each update once, and with a weight that is one.
  void count(const std::vector<Contribution>& members) {
    std::optional<double> scale;
    for (const Contribution& update : members) {
      if (const auto weight = weights_.find({update.client, update.round});
          weight != weights_.end()) {
        scale = scale.value_or(update.coefficient / weight->second);
        EXPECT_NEAR(update.coefficient, weight->second * *scale, 1e-12);
      }
      EXPECT_TRUE(aggregated_.emplace(update.client, update.round).second)
          << "client " << update.client << ", round " << update.round << " twice";
      EXPECT_GE(update.staleness, 0);
      EXPECT_GT(update.coefficient, 0.0);
      EXPECT_LE(update.coefficient, 1.0);
    }
  }

  void check() {
    expect_conserved(*policy_);
    EXPECT_GE(policy_->version(), version_);
    version_ = policy_->version();
  }

  Random random_;
  std::unique_ptr<Policy> policy_;
  std::map<ClientId, Assign> work_;
  std::set<std::pair<ClientId, std::int64_t>> aggregated_;
  std::map<std::pair<ClientId, std::int64_t>, double> weights_;  ///< on arrival
  std::int64_t received_ = 0;
  std::int64_t version_ = 0;
  double now_ = 0.0;
};

TEST(RandomSchedules, ConserveUpdatesWhateverHappens) {
  for (const Algorithm algorithm : kAll) {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
      SCOPED_TRACE(std::string(to_text(algorithm)) + ", seed " + std::to_string(seed));
      Chaos(seed, algorithm).run(300);
      if (testing::Test::HasFailure()) return;
    }
  }
}

/// Since when each client has waited for an answer, and until when that is all right.
class Waiting {
 public:
  Waiting(const Scenario& scenario) : scenario_(scenario) {}

  void operator()(std::string_view text) {
    const Json line = Json::parse(text);
    const std::string kind = line.at("kind");
    if (kind == "summary") return;
    const double t = line.at("t");
    EXPECT_GE(t, now_);
    now_ = t;
    if (kind == "assign" || kind == "dispatch") {
      const ClientId client = line.at("client");
      waiting_.erase(client);
      latest_[client] = line.contains("latest_arrival") && line["latest_arrival"].is_number()
                            ? line["latest_arrival"].get<double>()
                            : t + 2.0 * scenario_.policy.evict_after;
    }
    if (kind == "arrive") waiting_[line.at("client")] = t;
    if (kind == "aggregate") {
      EXPECT_EQ(line.at("version"), version_ + 1);
      version_ = line.at("version");
    }
    if (kind == "flush" || kind == "shutdown") return;
    for (const auto& [client, since] : waiting_) {
      if (t == since) continue;  // its answer may still come
      // FedAvg's rounds end when the last one is evicted, and a straggler waits for the next end.
      const double end = scenario_.policy.algorithm == Algorithm::kFedCompass
                             ? latest_[client]
                             : since + 2.0 * scenario_.policy.evict_after;
      EXPECT_LE(t, end) << "client " << client << " waits since " << since;
    }
  }

 private:
  const Scenario& scenario_;
  double now_ = 0.0;
  std::int64_t version_ = 0;
  std::map<ClientId, double> waiting_;
  std::map<ClientId, double> latest_;
};

TEST(RandomSchedules, NobodyWaitsForEverAndVersionsNeverGoBack) {
  for (const Algorithm algorithm : kAll) {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
      SCOPED_TRACE(std::string(to_text(algorithm)) + ", seed " + std::to_string(seed));
      Scenario scenario = random_scenario(seed, algorithm);
      scenario.policy.evict_after = 60.0;
      Waiting waiting(scenario);
      const Summary summary = simulate(scenario, std::ref(waiting));
      EXPECT_EQ(summary.counts.received,
                summary.counts.aggregated + summary.counts.refused + summary.pending);
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(RandomSchedules, RepeatToTheBit) {
  for (const Algorithm algorithm : kAll) {
    const Scenario scenario = random_scenario(7, algorithm);
    std::string first;
    std::string second;
    simulate(scenario, [&](std::string_view line) { first += line; });
    simulate(scenario, [&](std::string_view line) { second += line; });
    EXPECT_EQ(first, second);
    EXPECT_GT(first.size(), 1000U);
  }
}

}  // namespace
}  // namespace convoy::tests
