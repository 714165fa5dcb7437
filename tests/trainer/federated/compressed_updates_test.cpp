// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "base/errors.h"
#include "base/file.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/federated/federation_fixture.h"
#include "trainer/federated/client_end.h"
#include "trainer/federated/downlink.h"
#include "trainer/federated/federation_data.h"
#include "trainer/federated/update_layers.h"

namespace convoy::trainer {
namespace {

Job compressed_job(const std::string& family, double level = 0.0) {
  Job job = tests::federated_job();
  job.model.hidden = 64;
  job.compression.family = family;
  job.compression.level = level;
  job.compression.min_numel = 64;
  return job;
}

TEST(CompressedUpdates, LearnWithFewerBytesBothWays) {
  const tests::TemporaryFolder dense_folder;
  const auto dense = tests::federate_here(compressed_job("none"), dense_folder.path());
  for (const auto& [family, level] : {std::pair{"quantize", 4.0}, {"top_k", 0.1}, {"half", 0.0}}) {
    SCOPED_TRACE(family);
    const tests::TemporaryFolder folder;
    const auto summary = tests::federate_here(compressed_job(family, level), folder.path());
    EXPECT_GT(summary.run.accuracy, 0.8);
    EXPECT_LT(summary.bytes_up, 0.75 * static_cast<double>(dense.bytes_up));
    EXPECT_LT(summary.bytes_down, dense.bytes_down);
    EXPECT_EQ(summary.client_bytes.size(), 4U);
    EXPECT_EQ(summary.versions, dense.versions) << "schedules do not depend on compression";
  }
}

TEST(CompressedUpdates, GoOnFromACheckpointBitForBit) {
  for (const char* family : {"quantize", "top_k"}) {
    const tests::TemporaryFolder whole_folder;
    const tests::TemporaryFolder folder;
    Job job = compressed_job(family);
    const auto whole = tests::federate_here(job, whole_folder.path());
    FederatedSummary pieces;
    comm::local::run(1, [&](comm::Communicator& world) {
      for (const std::int64_t end : {9, 30}) {
        job.federation.updates = end;
        pieces = federate(world, job, {.run_dir = folder.path(), .resume = end > 9, .quiet = true});
      }
    });
    EXPECT_EQ(pieces.run.parameters_hash, whole.run.parameters_hash) << family;
  }
}

TEST(CompressedUpdates, RefusePowerSgd) {
  EXPECT_THROW(check_federation(compressed_job("power_sgd"), 1), ConfigError);
}

class ClientEndTest : public testing::Test {
 protected:
  ClientEndTest()
      : data(load_federation_data(job)),
        trainer(make_model(job.model, data.datasets.train->info(), 1), *data.datasets.train,
                local_training_config(job)),
        codec(make_update_codec(job.compression, trainer.model().parameters())),
        start(copy_state(trainer.model())),
        client(data.client(job, 0), codec.get()) {}

  [[nodiscard]] ClientReport train(std::int64_t round) {
    return client.train(trainer, {.client = 0, .round = round, .steps = 5}, start);
  }
  /// What is owed after the newest round.
  [[nodiscard]] std::vector<float> owed() {
    client.mark();
    return client.marked_residual();
  }

  Job job = compressed_job("top_k", 0.05);
  FederationData data;
  LocalTrainer trainer;
  std::unique_ptr<const compress::UpdateCodec> codec;
  ModelState start;
  ClientEnd client;
};

TEST_F(ClientEndTest, ARefusedUpdateIsOwedInFull) {
  const ClientReport report = train(0);
  const auto sent = flatten(decode(*codec, report.payload, start.parameters));
  const auto left = owed();
  client.take_back();
  const auto all = owed();
  double total = 0.0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_NEAR(all[i], left[i] + sent[i], 1e-6);
    total += std::abs(sent[i]);
  }
  EXPECT_GT(total, 0.0);
  client.take_back();  // once is enough
  EXPECT_EQ(owed(), all);
}

TEST_F(ClientEndTest, AnUpdateThatIsNotFiniteDoesNotReachTheResidual) {
  LocalTrainingConfig wild = local_training_config(job);
  wild.optimizer.lr = 1e30;
  LocalTrainer diverging(make_model(job.model, data.datasets.train->info(), 1),
                         *data.datasets.train, wild);
  (void)train(0);
  const auto before = owed();
  const auto report = client.train(diverging, {.client = 0, .round = 1, .steps = 50}, start);
  EXPECT_FALSE(report.result.finite);
  EXPECT_TRUE(report.payload.empty());
  EXPECT_EQ(owed(), before);
}

TEST_F(ClientEndTest, ClientsStartFromAReferenceThatFollowsTheModel) {
  auto model = std::make_shared<const ModelState>(start);
  Downlink downlink(codec.get(), model, 4, 1);
  EXPECT_TRUE(torch::equal(downlink.start()->parameters[0], start.parameters[0]));
  const std::size_t dense = downlink.message(0)->size();
  const auto moved = start.parameters[0] + torch::full_like(start.parameters[0], 0.01);
  ModelState next = start;
  next.parameters[0] = moved;
  const auto target = std::make_shared<const ModelState>(next);
  double distance = 1e9;
  for (int version = 0; version < 40; ++version) {
    downlink.advance(target);
    const double now = (downlink.start()->parameters[0] - moved).norm().item<double>();
    EXPECT_LE(now, distance);
    distance = now;
  }
  EXPECT_LT(distance, 1e-5) << "what is left out of one version is in the next";
  EXPECT_EQ(downlink.message(1)->size(), dense) << "a client that holds nothing";
  EXPECT_EQ(downlink.message(2), downlink.message(3)) << "one copy for all that hold the same";
  EXPECT_EQ(downlink.message(0)->size(), dense) << "one that has fallen out of the ring";
  downlink.advance(target);
  EXPECT_LT(downlink.message(0)->size(), dense / 2);
}

}  // namespace
}  // namespace convoy::trainer
