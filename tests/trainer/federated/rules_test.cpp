// SPDX-License-Identifier: Apache-2.0
// Every aggregation rule and every server optimizer, through the live server on random schedules,
// against the formulas written down once more in double precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/trainer/federated/live_server.h"

namespace convoy::trainer {
namespace {

using scheduler::Algorithm;
using scheduler::Staleness;
using tests::LiveServer;
using Function = Staleness::Function;
using Values = std::vector<double>;

constexpr std::int64_t kClients = 5;
constexpr std::int64_t kBuffer = 3;
constexpr double kAlpha = 0.8;
constexpr double kServerRate = 1.3;

double samples_of(std::int64_t client) { return 10.0 + 7.0 * static_cast<double>(client); }

/// What the formulas make of the same updates.
class Reference {
 public:
  Reference(const FederationConfig& config, const tests::TensorModel& initial)
      : config_(config),
        starts_{tests::values_of(initial.parameters()[0].tensor)},
        means_(tests::values_of(initial.buffers()[0].tensor)),
        m_(starts_[0].size()),
        v_(starts_[0].size(), std::pow(config.server_optimizer.tau, 2)) {}

  /// Which updates stand in the sum is the policy's decision; all else is worked out here.
  void aggregate(const NewModel& made, const std::map<LiveServer::Key, LiveServer::Sent>& sent) {
    std::vector<const LiveServer::Sent*> updates;
    double participants = 0.0;
    for (const auto& member : made.members) {
      updates.push_back(&sent.at({member.contribution.client, member.contribution.round}));
      participants += samples_of(member.contribution.client);
    }
    Values step(starts_[0].size());
    Values sums(means_.size());
    double total = 0.0;
    for (std::size_t i = 0; i < updates.size(); ++i) {
      const double c = weight(made.members[i].contribution.client, *updates[i], participants);
      add(*updates[i], c, step);
      for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += c * updates[i]->means[k];
      total += c;
    }
    const double cap = std::min(total, 1.0);
    for (std::size_t k = 0; k < means_.size(); ++k) {
      means_[k] = (1.0 - cap) * means_[k] + sums[k] * cap / total;
    }
    const auto newest = *std::max_element(updates.begin(), updates.end(), [](auto* a, auto* b) {
      return std::pair(a->version, a->arrival) < std::pair(b->version, b->arrival);
    });
    counter_ = newest->counter;
    move(step);
  }

  void expect_same(const ModelState& found) const {
    const Values weights = tests::values_of(found.parameters[0]);
    for (std::size_t k = 0; k < weights.size(); ++k) {
      EXPECT_NEAR(weights[k], starts_.back()[k], 2e-5 * std::max(1.0, std::abs(weights[k])));
    }
    const Values means = tests::values_of(found.buffers[0]);
    for (std::size_t k = 0; k < means.size(); ++k) EXPECT_NEAR(means[k], means_[k], 1e-5);
    EXPECT_EQ(found.buffers[1].item<std::int64_t>(), counter_);
  }

 private:
  [[nodiscard]] double staleness(const LiveServer::Sent& update) const {
    const double u =
        static_cast<double>(starts_.size()) - 1.0 - static_cast<double>(update.version);
    const Staleness& rule = config_.policy.staleness;
    if (rule.function == Function::kPolynomial) return std::pow(u + 1.0, -rule.a);
    if (rule.function == Function::kHinge && u > rule.b) return 1.0 / (rule.a * (u - rule.b) + 1.0);
    return 1.0;
  }

  [[nodiscard]] double weight(std::int64_t client, const LiveServer::Sent& update,
                              double participants) const {
    switch (config_.policy.algorithm) {
      case Algorithm::kFedCompass: {
        double all = 0.0;
        for (std::int64_t i = 0; i < kClients; ++i) all += samples_of(i);
        return kAlpha * staleness(update) * samples_of(client) / all;
      }
      case Algorithm::kFedAvg:
        return samples_of(client) / participants;
      case Algorithm::kFedAsync:
        return kAlpha * staleness(update);
      case Algorithm::kFedBuff:
        return kServerRate * staleness(update) / static_cast<double>(kBuffer);
    }
    return 0.0;
  }

  void add(const LiveServer::Sent& update, double c, Values& step) const {
    for (std::size_t k = 0; k < step.size(); ++k) {
      step[k] += c * update.delta[k];
      // w = (1 - c) w + c x
      if (config_.policy.algorithm == Algorithm::kFedAsync) {
        step[k] += c * (starts_[static_cast<std::size_t>(update.version)][k] - starts_.back()[k]);
      }
    }
  }

  void move(const Values& step) {
    const ServerOptimizerConfig& rule = config_.server_optimizer;
    Values next = starts_.back();
    for (std::size_t k = 0; k < next.size(); ++k) {
      const double d = step[k];
      const double square = d * d;
      if (rule.name == "none") {
        next[k] += d;
      } else if (rule.name == "fedavgm") {
        m_[k] = rule.momentum * m_[k] + d;
        next[k] += rule.lr * m_[k];
      } else {
        m_[k] = rule.beta1 * m_[k] + (1.0 - rule.beta1) * d;
        if (rule.name == "fedadagrad") v_[k] += square;
        if (rule.name == "fedadam") v_[k] = rule.beta2 * v_[k] + (1.0 - rule.beta2) * square;
        if (rule.name == "fedyogi") {
          v_[k] -= (1.0 - rule.beta2) * square * (v_[k] > square ? 1.0 : -1.0);
        }
        next[k] += rule.lr * m_[k] / (std::sqrt(v_[k]) + rule.tau);
      }
    }
    starts_.push_back(std::move(next));
  }

  FederationConfig config_;
  std::vector<Values> starts_;  ///< w of every version
  Values means_;
  std::int64_t counter_ = 7;
  Values m_;
  Values v_;
};

FederationConfig config_of(Algorithm algorithm, Function staleness = Function::kPolynomial) {
  FederationConfig config;
  config.policy.algorithm = algorithm;
  config.policy.min_local_steps = 2;
  config.policy.max_local_steps = 10;
  config.policy.buffer_size = kBuffer;
  config.policy.server_rate = kServerRate;
  config.policy.alpha = kAlpha;
  config.policy.staleness = {.function = staleness, .a = 0.7, .b = 1.0};
  config.clients = kClients;
  config.rounds = 1;
  return config;
}

/// Clients of unequal speed report at random times, until there are `versions` models.
void compare(const FederationConfig& config, std::size_t versions, std::int64_t least_staleness) {
  LiveServer live(config);
  Reference reference(config, live.initial());
  Random random({std::uint64_t{3}});
  for (std::int64_t client = 0; client < kClients; ++client) {
    live.join(0.0, client, static_cast<std::int64_t>(samples_of(client)));
  }
  std::size_t compared = 0;
  std::int64_t staleness = 0;
  double now = 0.0;
  while (compared < versions) {
    now += random.uniform();
    const auto timer = live.server().policy().next_timer();
    if (timer && *timer <= now) live.server().on_time(now);
    // The higher numbers are faster; those that wait for others have nothing to report.
    const auto client = static_cast<std::int64_t>(std::max(random.below(5), random.below(5)));
    if (live.server().outstanding().contains(client)) live.train(now, client);
    for (const NewModel& made : std::exchange(live.made, {})) {
      reference.aggregate(made, live.sent());
      for (const auto& member : made.members) {
        staleness = std::max(staleness, member.contribution.staleness);
      }
      ++compared;
      if (made.version != live.server().aggregator().version()) continue;  // the next is made too
      reference.expect_same(*live.server().aggregator().model());
    }
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GE(staleness, least_staleness) << "the schedule tests nothing";
}

TEST(AggregationRules, AreThoseOfThePapers) {
  for (const auto function : {Function::kConstant, Function::kPolynomial, Function::kHinge}) {
    for (const auto algorithm :
         {Algorithm::kFedCompass, Algorithm::kFedAsync, Algorithm::kFedBuff}) {
      SCOPED_TRACE(std::string(to_text(algorithm)) + ", staleness " +
                   std::to_string(static_cast<int>(function)));
      compare(config_of(algorithm, function), 40, 2);
    }
  }
  compare(config_of(Algorithm::kFedAvg), 20, 0);
}

TEST(AggregationRules, GoThroughTheServersOptimizer) {
  for (const auto algorithm : {Algorithm::kFedAvg, Algorithm::kFedBuff}) {
    for (const char* name : {"fedavgm", "fedadagrad", "fedadam", "fedyogi"}) {
      SCOPED_TRACE(std::string(to_text(algorithm)) + ", " + name);
      FederationConfig config = config_of(algorithm);
      config.server_optimizer = {
          .name = name, .lr = 0.05, .momentum = 0.8, .beta1 = 0.7, .beta2 = 0.95, .tau = 0.01};
      compare(config, 20, 0);
    }
  }
}

TEST(AggregationRules, RoundsWithADeadlineAverageThoseThatHaveReported) {
  FederationConfig config = config_of(Algorithm::kFedAvg);
  config.policy.deadline = 3.0;
  compare(config, 20, 0);
}

}  // namespace
}  // namespace convoy::trainer
