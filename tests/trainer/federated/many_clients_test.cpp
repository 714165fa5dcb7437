// SPDX-License-Identifier: Apache-2.0
// More than a hundred clients on one machine.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/temporary_folder.h"
#include "tests/trainer/federated/federation_fixture.h"

namespace convoy::trainer {
namespace {

constexpr std::int64_t kClients = 128;

Job job_of_many() {
  Job job = tests::federated_job();
  job.data.samples = 2560;
  job.data.partition.name = "iid";
  job.federation.clients = kClients;
  job.federation.workers = kClients;  // a thread each
  job.federation.updates = 3 * kClients;
  job.federation.clock = "throttled";
  job.federation.speeds = "exponential";
  job.federation.mean_step_seconds = 0.05;
  return job;
}

void expect_all_took_part(const FederatedSummary& summary) {
  EXPECT_GE(summary.updates, 3 * kClients);
  const auto& counts = summary.schedule.counts;
  EXPECT_EQ(counts.refused, 0);
  EXPECT_EQ(counts.evicted, 0);
  const auto& clients = summary.schedule.clients;
  const auto took_part =
      std::count_if(clients.begin(), clients.end(), [](const auto& c) { return c.updates > 0; });
  EXPECT_GT(took_part, kClients / 2) << "fast ones report often, the slowest not yet";
  // The models that somebody trains from, and what waits: not one a client.
  EXPECT_LT(summary.server_memory.versions, kClients * summary.server_memory.model);
}

TEST(ManyClients, TrainOnThreads) {
  const tests::TemporaryFolder folder;
  expect_all_took_part(tests::federate_here(job_of_many(), folder.path()));
}

TEST(ManyClients, TrainOnRanks) {
  const tests::TemporaryFolder folder;
  FederatedSummary summary;
  comm::local::run(static_cast<int>(kClients) + 1, [&](comm::Communicator& world) {
    const auto own = federate(world, job_of_many(), {.run_dir = folder.path(), .quiet = true});
    if (world.rank() == 0) summary = own;
  });
  expect_all_took_part(summary);
}

}  // namespace
}  // namespace convoy::trainer
