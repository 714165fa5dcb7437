// SPDX-License-Identifier: Apache-2.0
// Learning rates of clients over a run.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <numbers>
#include <string>

#include "base/errors.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/federated/federation_fixture.h"
#include "trainer/federated/federation_data.h"
#include "trainer/federated/local_training.h"

namespace convoy::trainer {
namespace {

using tests::TemporaryFolder;

Job cosine_job() {
  Job job = tests::federated_job();
  job.train.schedule.name = "cosine";
  job.train.schedule.warmup_steps = 4;
  job.checkpoint.every_steps = 7;
  job.checkpoint.keep = 10;
  return job;
}

std::unique_ptr<LocalTrainer> trainer_of(const Job& job, const FederationData& data) {
  return std::make_unique<LocalTrainer>(
      make_model(job.model, data.datasets.train->info(), job.run.seed), *data.datasets.train,
      local_training_config(job));
}

TEST(FederatedSchedule, ARoundHasTheRateOfTheUpdatesBeforeIt) {
  Job job = cosine_job();
  const FederationData data = load_federation_data(job);
  const auto cosine = trainer_of(job, data);
  EXPECT_DOUBLE_EQ(cosine->round_rate(0), 0.1 / 4.0);
  EXPECT_DOUBLE_EQ(cosine->round_rate(3), 0.1);
  EXPECT_DOUBLE_EQ(cosine->round_rate(16), 0.05 * (1.0 + std::cos(std::numbers::pi * 0.5)));
  EXPECT_DOUBLE_EQ(cosine->round_rate(29), 0.0);
  EXPECT_DOUBLE_EQ(cosine->round_rate(31), 0.0) << "assigned after the last update that counts";

  job.train.schedule = {.name = "step", .step_every = 10, .step_factor = 0.5};
  job.federation.updates = 0;
  job.federation.rounds = 5;
  const auto cuts = trainer_of(job, data);
  EXPECT_DOUBLE_EQ(cuts->round_rate(9), 0.1);
  EXPECT_DOUBLE_EQ(cuts->round_rate(25), 0.025);

  Job constant = tests::federated_job();
  constant.train.optimizer.lr = 0.025;
  const auto slow = trainer_of(constant, data);
  ClientData first = data.client(job, 0);
  ClientData second = data.client(job, 0);
  const ModelState start = copy_state(slow->model());
  const auto a = cuts->run(first, start, 5, {}, 25);
  const auto b = slow->run(second, start, 5);
  EXPECT_TRUE(torch::equal(a.update.delta[0], b.update.delta[0]));
}

TEST(FederatedSchedule, IsTheSameOnRanksAndAfterAResume) {
  const Job job = cosine_job();
  const TemporaryFolder folder;
  const auto whole = tests::federate_here(job, folder.path());
  Job constant = job;
  constant.train.schedule = {};
  const TemporaryFolder constant_folder;
  EXPECT_NE(tests::federate_here(constant, constant_folder.path()).run.parameters_hash,
            whole.run.parameters_hash);

  const TemporaryFolder ranks_folder;
  comm::local::run(5, [&](comm::Communicator& world) {
    const auto found = federate(world, job, {.run_dir = ranks_folder.path(), .quiet = true});
    if (world.rank() != 0) return;
    EXPECT_EQ(found.run.parameters_hash, whole.run.parameters_hash);
  });
  comm::local::run(1, [&](comm::Communicator& world) {
    const auto found = federate(world, job,
                                {.run_dir = folder.path(),
                                 .resume = true,
                                 .checkpoint = folder.path() / "checkpoints" / "step-14",
                                 .quiet = true});
    EXPECT_EQ(found.run.parameters_hash, whole.run.parameters_hash);
  });
}

TEST(FederatedSchedule, ACosineNeedsToKnowTheEnd) {
  Job job = cosine_job();
  EXPECT_NO_THROW(check_federation(job, 1));
  job.federation.updates = 0;
  job.federation.rounds = 5;
  EXPECT_THROW(check_federation(job, 1), ConfigError);
  job.train.schedule.name = "constant";
  EXPECT_NO_THROW(check_federation(job, 1));
}

}  // namespace
}  // namespace convoy::trainer
