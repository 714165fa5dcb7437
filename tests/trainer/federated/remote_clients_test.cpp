// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/remote_clients.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/file.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/federated/federation_fixture.h"
#include "trainer/federated/messages.h"

namespace convoy::trainer {
namespace {

/// A server and its clients as ranks that are threads.
FederatedSummary federate_on_ranks(const Job& job, const std::filesystem::path& run_dir) {
  FederatedSummary summary;
  comm::local::run(static_cast<int>(job.federation.clients) + 1, [&](comm::Communicator& world) {
    const auto own = federate(world, job, {.run_dir = run_dir, .quiet = true});
    if (world.rank() == 0) summary = own;
  });
  return summary;
}

TEST(RemoteClients, TrainTheSameModelAsThreadsDo) {
  const tests::TemporaryFolder here;
  const tests::TemporaryFolder there;
  Job job = tests::federated_job();
  job.federation.validation = 0.1;
  const auto expected = tests::federate_here(job, here.path());
  const auto found = federate_on_ranks(job, there.path());
  EXPECT_EQ(found.run.parameters_hash, expected.run.parameters_hash);
  EXPECT_EQ(found.run.ranks, 5);
  for (const char* file : {"events.jsonl", "metrics.jsonl"}) {
    EXPECT_EQ(read_text_file(there.path() / file), read_text_file(here.path() / file)) << file;
  }
  EXPECT_GT(found.bytes_down, 0U);
  EXPECT_GT(found.bytes_up, 0U);
}

TEST(RemoteClients, TrainTheSameModelAsThreadsDoWithCompressedUpdates) {
  for (const auto algorithm :
       {scheduler::Algorithm::kFedCompass, scheduler::Algorithm::kFedAsync}) {
    const tests::TemporaryFolder here;
    const tests::TemporaryFolder there;
    Job job = tests::federated_job();
    job.federation.policy.algorithm = algorithm;
    job.compression.family = "quantize";
    job.compression.policy = "lgreco";
    job.compression.min_numel = 1;
    const auto expected = tests::federate_here(job, here.path());
    const auto found = federate_on_ranks(job, there.path());
    EXPECT_EQ(found.run.parameters_hash, expected.run.parameters_hash);
    EXPECT_EQ(found.bytes_down, expected.bytes_down);
    EXPECT_EQ(found.bytes_up, expected.bytes_up);
  }
}

TEST(RemoteClients, WorkInRealTime) {
  const tests::TemporaryFolder folder;
  Job job = tests::federated_job();
  job.federation.clock = "throttled";
  job.federation.speed_list = {0.002, 0.003, 0.008, 0.001};
  const auto summary = federate_on_ranks(job, folder.path());
  EXPECT_EQ(summary.updates, 30);
  EXPECT_GT(summary.run.accuracy, 0.8);
}

TEST(RemoteClients, AFailingClientEndsTheRun) {
  const tests::TemporaryFolder folder;
  const Job job = tests::federated_job();
  EXPECT_THROW(comm::local::run(5,
                                [&](comm::Communicator& world) {
                                  require_config(world.rank() != 2, "this client fails");
                                  (void)federate(world, job,
                                                 {.run_dir = folder.path(), .quiet = true});
                                }),
               ConfigError);
}

TEST(RemoteClients, NeedARankForEachClient) {
  const tests::TemporaryFolder folder;
  EXPECT_THROW(comm::local::run(3,
                                [&](comm::Communicator& world) {
                                  (void)federate(world, tests::federated_job(),
                                                 {.run_dir = folder.path(), .quiet = true});
                                }),
               ConfigError);
}

TEST(Messages, BringTensorsBackBitForBit) {
  const ModelState state{.parameters = {torch::rand({3, 2}), torch::rand({4}).to(torch::kDouble)},
                         .buffers = {torch::tensor(7, torch::kInt64)}};
  messages::Bytes bytes;
  messages::append(state.parameters, bytes);
  messages::append(state.buffers, bytes);
  std::span<const std::uint8_t> rest(bytes);
  const auto parameters = messages::take(rest, state.parameters);
  const auto buffers = messages::take(rest, state.buffers);
  EXPECT_TRUE(rest.empty());
  EXPECT_TRUE(torch::equal(parameters[0], state.parameters[0]));
  EXPECT_TRUE(torch::equal(parameters[1], state.parameters[1]));
  EXPECT_TRUE(torch::equal(buffers[0], state.buffers[0]));
  auto part = std::span<const std::uint8_t>(bytes).first(10);
  EXPECT_THROW((void)messages::take(part, state.parameters), ContractError);
  EXPECT_THROW((void)messages::take(part, 11), ContractError);
}

}  // namespace
}  // namespace convoy::trainer
