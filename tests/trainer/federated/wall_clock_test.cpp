// SPDX-License-Identifier: Apache-2.0
// The clock of real time, with clients that do as the test says.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "tests/trainer/federated/tensor_model.h"
#include "trainer/federated/federation_clock.h"

namespace convoy::trainer {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Clients that train nothing: next() is the test's.
class ScriptedClients final : public ClientPool {
 public:
  using Next = std::function<std::optional<ClientReport>(WallTime until)>;

  void start(Assignment assignment) override { started.push_back(std::move(assignment)); }
  [[nodiscard]] std::optional<ClientReport> report_of(std::int64_t, WallTime) override {
    return std::nullopt;
  }
  [[nodiscard]] std::optional<ClientReport> next(WallTime until) override {
    if (on_next) return on_next(until);
    std::this_thread::sleep_until(until);
    return std::nullopt;
  }
  void take_back(std::int64_t) override {}
  [[nodiscard]] std::optional<WallTime> last_sign(std::int64_t client) const override {
    const auto found = last_signs.find(client);
    return found == last_signs.end() ? Clock::now() : found->second;
  }
  void stop() override {}
  void ask_for_residuals() override {}
  [[nodiscard]] std::optional<std::vector<NamedTensor>> residuals() override {
    return std::vector<NamedTensor>{};
  }
  void restore_residuals(const std::vector<NamedTensor>&) override {}

  /// To the newest assignment of the client.
  [[nodiscard]] ClientReport answer(std::int64_t client) const {
    ClientReport report{.client = client, .ready = Clock::now()};
    for (const auto& assignment : started) {
      if (assignment.client != client) continue;
      report.round = assignment.round;
      report.result.steps = assignment.steps;
    }
    report.result.update.delta = {torch::ones({3})};
    report.result.samples = 1;
    return report;
  }

  std::vector<Assignment> started;
  std::map<std::int64_t, WallTime> last_signs;  ///< of silent ones
  Next on_next;
};

class WallClockTest : public testing::Test {
 protected:
  /// Clients that join a federation of FedAsync at once.
  void begin(std::int64_t clients, std::optional<double> seconds, double liveness_seconds) {
    FederationConfig config;
    config.clients = clients;
    config.updates = 100;
    config.policy.algorithm = scheduler::Algorithm::kFedAsync;
    server_ = std::make_unique<FederatedServer>(config, model_, [](std::string_view) {});
    scenario_.seconds = seconds;
    clock_ = make_wall_clock(*server_, clients_, scenario_, {.liveness_seconds = liveness_seconds});
    server_->set_callbacks(
        [this](Assignment assignment) { clock_->dispatch(std::move(assignment)); },
        [](const NewModel&) {}, [](std::int64_t, const std::string&) {});
    for (std::int64_t client = 0; client < clients; ++client) server_->join(0.0, client, 10);
  }

  [[nodiscard]] const scheduler::Counts& counts() const { return server_->policy().counts(); }

  tests::TensorModel model_{{{"w", torch::zeros({3})}}, {}};
  ScriptedClients clients_;
  scheduler::Scenario scenario_;
  std::unique_ptr<FederatedServer> server_;
  std::unique_ptr<FederationClock> clock_;
};

/// It has left the queue: nobody else would handle it.
TEST_F(WallClockTest, AReportThatIsHandedOutAtTheEndIsHandled) {
  begin(2, 0.05, 1e9);
  clients_.on_next = [&](WallTime until) {
    std::this_thread::sleep_until(until + milliseconds(30));
    return clients_.answer(1);
  };
  EXPECT_TRUE(clock_->step());
  EXPECT_EQ(counts().received, 1);
  EXPECT_EQ(counts().refused, 0);
  EXPECT_LE(server_->policy().now(), 0.05) << "it counts as of the end";
  EXPECT_FALSE(clock_->step());
  EXPECT_EQ(counts().received, 1);
}

TEST_F(WallClockTest, EvictsTheSilentOnceUntilTheyReport) {
  begin(3, std::nullopt, 5.0);
  clients_.last_signs[1] = Clock::now() - std::chrono::seconds(6);
  clients_.last_signs[2] = Clock::now() - std::chrono::seconds(3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(clock_->step());
  EXPECT_EQ(counts().evicted, 1) << "the third has been silent for a shorter time";

  clients_.on_next = [&](WallTime) { return clients_.answer(1); };
  EXPECT_TRUE(clock_->step());
  EXPECT_EQ(counts().received, 1);
  EXPECT_EQ(counts().refused, 0);
  clients_.on_next = nullptr;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(clock_->step());
  EXPECT_EQ(counts().evicted, 2) << "it has fallen silent again";
}

/// From the moment when the report could be answered, and not from when the server got to it.
TEST_F(WallClockTest, AnswersTakeAsLongAsClientsWait) {
  begin(2, std::nullopt, 1e9);
  EXPECT_EQ(clock_->answers()->count, 0) << "what joining gave is no answer";
  clients_.on_next = [&](WallTime) {
    auto report = clients_.answer(0);
    std::this_thread::sleep_for(milliseconds(40));
    return report;
  };
  EXPECT_TRUE(clock_->step());
  EXPECT_EQ(clock_->answers()->count, 1);
  EXPECT_GE(clock_->answers()->maximum, 0.04);
  EXPECT_EQ(clients_.started.back().updates, 1) << "its place in the schedule of learning rates";

  // What no report and no timer has caused is nobody's answer.
  clients_.on_next = nullptr;
  EXPECT_TRUE(clock_->step());
  clock_->dispatch(clients_.started.back());
  EXPECT_EQ(clock_->answers()->count, 1);
}

}  // namespace
}  // namespace convoy::trainer
