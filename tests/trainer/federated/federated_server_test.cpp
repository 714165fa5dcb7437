// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/federated_server.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "compress/update/update_sender.h"
#include "tests/trainer/federated/live_server.h"
#include "trainer/federated/update_layers.h"

namespace convoy::trainer {
namespace {

using scheduler::Algorithm;
using tests::LiveServer;

constexpr std::array kAlgorithms{Algorithm::kFedCompass, Algorithm::kFedAvg, Algorithm::kFedAsync,
                                 Algorithm::kFedBuff};
/// Of the small model, of an update, and of a sum: 40 and 3 float32, 1 int64.
constexpr std::size_t kBytes = 180;

FederationConfig config_of(Algorithm algorithm) {
  FederationConfig config;
  config.policy.algorithm = algorithm;
  config.policy.min_local_steps = 2;
  config.policy.max_local_steps = 10;
  config.policy.buffer_size = 2;
  config.rounds = 1;
  return config;
}

void join_three(LiveServer& live) {
  for (const std::int64_t client : {0, 1, 2}) live.join(0.0, client, 10);
}

void expect_memory(const ServerMemory& found, std::size_t model, std::size_t versions,
                   std::size_t updates) {
  EXPECT_EQ(found.model, model * kBytes);
  EXPECT_EQ(found.versions, versions * kBytes);
  EXPECT_EQ(found.updates, updates * kBytes);
}

TEST(FederatedServer, FedAvgKeepsASumAndNoUpdates) {
  LiveServer live(config_of(Algorithm::kFedAvg));
  join_three(live);
  expect_memory(live.server().memory(), 1, 0, 0);
  live.train(1.0, 0);
  expect_memory(live.server().memory(), 2, 0, 0);
  live.train(2.0, 1);
  expect_memory(live.server().memory(), 2, 0, 0);
  EXPECT_EQ(live.server().policy().pending(), 2);
  live.train(3.0, 2);
  EXPECT_EQ(live.server().aggregator().version(), 1);
  expect_memory(live.server().memory(), 1, 0, 0);
  expect_memory(live.server().peak_memory(), 2, 0, 1);  // the sum, and the one that has just come
}

TEST(FederatedServer, FedBuffKeepsASumAndTheVersionsThatAreOut) {
  LiveServer live(config_of(Algorithm::kFedBuff));
  join_three(live);
  live.train(1.0, 0);
  expect_memory(live.server().memory(), 2, 0, 0);
  live.train(2.0, 1);  // version 1; 0 and 2 train from version 0
  expect_memory(live.server().memory(), 1, 1, 0);
  live.train(3.0, 1);
  expect_memory(live.server().memory(), 2, 1, 0);
  live.train(4.0, 0);  // version 2; 2 trains from version 0, 1 from version 1
  expect_memory(live.server().memory(), 1, 2, 0);
  // Just before: the model, a sum, the update; and the oldest version.
  expect_memory(live.server().peak_memory(), 2, 1, 1);
}

TEST(FederatedServer, FedCompassKeepsWhatWaitsForItsGroup) {
  FederationConfig config = config_of(Algorithm::kFedCompass);
  config.policy.latest_time_factor = 2.0;
  LiveServer live(config);
  join_three(live);
  for (const std::int64_t client : {0, 1, 2}) live.train(10.0, client);  // each alone
  const double due = 10.0 + 10.0 * 5.0;  // ten steps of five seconds
  live.train(due - 1.0, 0);
  live.train(due - 1.0, 1);
  EXPECT_EQ(live.server().policy().pending(), 2);
  // The staleness that it will have is not known: both wait. 2 trains from the newest model.
  expect_memory(live.server().memory(), 1, 0, 2);
}

TEST(FederatedServer, TheServersOptimizerCounts) {
  FederationConfig config = config_of(Algorithm::kFedAvg);
  config.server_optimizer.name = "fedadam";
  LiveServer live(config);
  EXPECT_EQ(live.server().memory().model, kBytes + 2 * 160);
}

TEST(FederatedServer, GoesOnInTheMiddleOfASum) {
  for (const auto algorithm : {Algorithm::kFedAvg, Algorithm::kFedBuff}) {
    FederationConfig config = config_of(algorithm);
    config.policy.buffer_size = 3;
    LiveServer live(config);
    join_three(live);
    live.train(1.0, 0);
    live.train(2.0, 1);
    const FederationState state = live.server().save();
    LiveServer again(config);
    again.server().load(state);
    EXPECT_EQ(again.server().memory().total(), live.server().memory().total());
    const ClientReport last = live.answer(2);
    live.report(3.0, last);
    again.report(3.0, last);
    ASSERT_EQ(again.server().aggregator().version(), 1);
    const ModelState& a = *live.server().aggregator().model();
    const ModelState& b = *again.server().aggregator().model();
    EXPECT_TRUE(torch::equal(a.parameters[0], b.parameters[0]));
    EXPECT_TRUE(torch::equal(a.buffers[0], b.buffers[0]));
    EXPECT_TRUE(torch::equal(a.buffers[1], b.buffers[1]));
  }
}

TEST(FederatedServer, RefusesWhatIsNotOfThisModel) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<std::function<void(ModelUpdate&)>> harms{
      [](ModelUpdate& update) { update.delta.clear(); },
      [](ModelUpdate& update) { update.delta[0] = torch::zeros({41}); },
      [](ModelUpdate& update) { update.delta[0] = update.delta[0].to(torch::kDouble); },
      [](ModelUpdate& update) { update.buffers.pop_back(); },
      [](ModelUpdate& update) { std::swap(update.buffers[0], update.buffers[1]); },
      [nan](ModelUpdate& update) { update.delta[0][17] = nan; },
      [nan](ModelUpdate& update) { update.buffers[0][2] = nan; }};
  LiveServer live(config_of(Algorithm::kFedAsync));
  join_three(live);
  for (std::size_t i = 0; i < harms.size(); ++i) {
    ClientReport report = live.answer(0);
    harms[i](report.result.update);  // and the report says that all is well
    live.report(1.0 + static_cast<double>(i), report);
    EXPECT_EQ(live.server().policy().counts().refused, static_cast<std::int64_t>(i) + 1);
  }
  EXPECT_EQ(live.server().aggregator().version(), 0);
  EXPECT_EQ(live.refused.size(), harms.size());
  live.train(20.0, 0);
  EXPECT_EQ(live.server().aggregator().version(), 1);
}

/// A server whose clients compress, and everything that can go wrong with an update.
class Chaos {
 public:
  Chaos(Algorithm algorithm, std::uint64_t seed)
      : random_({seed, 0x6368616f73}), live_(chaotic(algorithm), seed), codec_(make_codec()) {
    for (std::int64_t client = 0; client < kClients; ++client) {
      clients_.push_back({.sender = compress::UpdateSender(*codec_, seed)});
      live_.join(0.0, client, 1 + client);
    }
  }

  void run(int events) {
    for (int i = 0; i < events && !testing::Test::HasFailure(); ++i) {
      now_ += 3.0 * random_.uniform();
      const auto timer = live_.server().policy().next_timer();
      if (timer && *timer <= now_) live_.server().on_time(now_);
      act(static_cast<std::int64_t>(random_.below(kClients)));
      check();
    }
    live_.server().shut_down(now_);
    check();
    EXPECT_EQ(live_.server().policy().pending(), 0);
    EXPECT_EQ(live_.server().memory().updates, 0U);
    EXPECT_GT(live_.server().policy().counts().refused, events / 10);
    EXPECT_GT(live_.server().policy().counts().aggregated, events / 10);
    for (const Client& client : clients_) expect_nothing_lost(client);
  }

 private:
  static constexpr std::int64_t kClients = 6;

  struct Client {
    compress::UpdateSender sender;
    std::vector<std::byte> payload;                      ///< the newest
    std::optional<ClientReport> before;                  ///< the newest report, for duplicates
    std::map<std::int64_t, std::vector<float>> decoded;  ///< by round, until it is aggregated
    std::vector<double> trained = std::vector<double>(tests::kWeights);
    std::vector<double> aggregated = std::vector<double>(tests::kWeights);
  };

  static FederationConfig chaotic(Algorithm algorithm) {
    FederationConfig config = config_of(algorithm);
    config.policy.deadline = 12.0;
    config.policy.evict_after = 25.0;
    config.policy.late_flush_after = 10.0;
    return config;
  }

  [[nodiscard]] std::unique_ptr<const compress::UpdateCodec> make_codec() {
    compress::CompressionConfig config;
    config.family = "top_k";
    config.policy = "uniform";
    config.level = 0.2;
    config.min_numel = 1;
    config.exclude = {};
    return std::make_unique<const compress::UpdateCodec>(
        config, std::vector<compress::UpdateLayer>{{"w", {8, 5}, 40}});
  }

  void act(std::int64_t number) {
    Client& client = clients_[static_cast<std::size_t>(number)];
    const double what = random_.uniform();
    if (what < 0.1) return live_.join(now_, number, 1 + number);  // it is back
    if (what < 0.25 && client.before) return send(*client.before);
    if (what < 0.3) return send({.client = 77});
    if (!live_.server().outstanding().contains(number)) return;
    ClientReport report = live_.answer(number);
    if (what < 0.35) {  // not finite: not sent at all
      report.result.finite = false;
      report.result.update.delta.clear();
      client.payload.clear();
      return send(std::move(report));
    }
    compress(client, report);
    if (what < 0.4) report.result.steps += 1000;
    if (what < 0.45) report.result.update.delta.clear();
    client.before = report;
    send(std::move(report));
  }

  void compress(Client& client, ClientReport& report) {
    const auto delta = flatten(report.result.update.delta);
    for (std::size_t k = 0; k < delta.size(); ++k) client.trained[k] += delta[k];
    client.payload = client.sender.send(delta, report.round);
    report.result.update.delta = decode(*codec_, client.payload, report.result.update.delta);
    client.decoded[report.round] = flatten(report.result.update.delta);
  }

  void send(ClientReport report) {
    ++received_;
    live_.report(now_, std::move(report));
  }

  void check() {
    for (const std::int64_t number : std::exchange(live_.refused, {})) {
      if (number >= kClients) continue;
      Client& client = clients_[static_cast<std::size_t>(number)];
      if (!client.payload.empty()) client.sender.take_back(client.payload);
    }
    for (const NewModel& made : std::exchange(live_.made, {})) {
      EXPECT_EQ(made.version, ++version_);
      for (const auto& [member, samples, loss, validation] : made.members) {
        Client& client = clients_[static_cast<std::size_t>(member.client)];
        const auto update = client.decoded.extract(member.round);
        ASSERT_FALSE(update.empty()) << "an update was aggregated twice, or never sent";
        for (std::size_t k = 0; k < client.aggregated.size(); ++k) {
          client.aggregated[k] += update.mapped()[k];
        }
      }
    }
    const auto& counts = live_.server().policy().counts();
    EXPECT_EQ(counts.received, received_);
    EXPECT_EQ(counts.received,
              counts.aggregated + counts.refused + live_.server().policy().pending());
    EXPECT_EQ(live_.server().aggregator().version(), version_);
    const auto& model = *live_.server().aggregator().model();
    EXPECT_TRUE(torch::isfinite(model.parameters[0]).all().item<bool>());
  }

  /// What was trained is in the model or still owed.
  static void expect_nothing_lost(const Client& client) {
    for (std::size_t k = 0; k < client.trained.size(); ++k) {
      EXPECT_NEAR(client.trained[k], client.aggregated[k] + client.sender.residual()[k], 1e-4);
    }
  }

  Random random_;
  LiveServer live_;
  std::unique_ptr<const compress::UpdateCodec> codec_;
  std::vector<Client> clients_;
  std::int64_t received_ = 0;
  std::int64_t version_ = 0;
  double now_ = 0.0;
};

TEST(FederatedServer, LosesNoUpdateWhateverHappens) {
  const auto log = logger("trainer");
  const auto level = log->level();
  log->set_level(spdlog::level::off);  // of every refusal
  for (const auto algorithm : kAlgorithms) {
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
      SCOPED_TRACE(std::string(to_text(algorithm)) + ", seed " + std::to_string(seed));
      Chaos(algorithm, seed).run(250);
      if (testing::Test::HasFailure()) break;
    }
  }
  log->set_level(level);
}

}  // namespace
}  // namespace convoy::trainer
