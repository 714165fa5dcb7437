// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <vector>

#include "tests/temporary_folder.h"
#include "tests/trainer/federated/federation_fixture.h"
#include "trainer/checkpoint/state_dict.h"
#include "trainer/federated/federation_data.h"
#include "trainer/loss.h"
#include "trainer/optim/optimizer.h"
#include "trainer/parallel/data_parallel.h"

namespace convoy::trainer {
namespace {

constexpr std::int64_t kRounds = 15;
constexpr int kClients = 4;

/// One step a round with equal batches of an iid partition.
Job one_step_job() {
  Job job = tests::federated_job();
  job.data.samples = 512 + 58;  // a tenth is held back: 513 = 4 * 128 + 1 are left
  job.data.partition.name = "iid";
  job.federation.policy.algorithm = scheduler::Algorithm::kFedAvg;
  job.federation.policy.min_local_steps = 1;
  job.federation.policy.max_local_steps = 1;
  job.federation.policy.weights = scheduler::WeightBy::kEqual;
  job.federation.updates = 0;
  job.federation.rounds = kRounds;
  return job;
}

/// The same batches through DataParallel: rank r trains on what client r would.
std::vector<NamedTensor> data_parallel(const Job& job) {
  const FederationData data = load_federation_data(job);
  std::vector<NamedTensor> result;
  comm::local::run(kClients, [&](comm::Communicator& world) {
    const auto model = make_model(job.model, data.datasets.train->info(), job.run.seed);
    DataParallel parallel(world, model->parameters(), model->buffers(), {});
    Optimizer optimizer(job.train.optimizer, model->parameters());
    ClientData client = data.client(job, world.rank());
    for (std::int64_t step = 0; step < kRounds; ++step) {
      const Batch batch = data.datasets.train->get(client.next().samples, 0);
      ASSERT_EQ(batch.samples(), job.train.batch_size);
      optimizer.zero_grad();
      (void)parallel.begin_step(batch.samples(), kClients * batch.samples());
      parallel.backward(mean_loss(Task::kClassify, model->forward(batch.inputs), batch.targets),
                        batch.samples());
      optimizer.step();
      parallel.end_step();
    }
    if (world.rank() == 0) result = model->parameters();
  });
  return result;
}

TEST(FederatedEquivalence, FedAvgWithOneLocalStepIsDataParallelSgd) {
  const tests::TemporaryFolder folder;
  const Job job = one_step_job();
  (void)tests::federate_here(job, folder.path());
  const auto federated = load_state_dict(folder.path() / "model.pt");
  const auto expected = data_parallel(job);
  const torch::NoGradGuard no_grad;
  ASSERT_GE(federated.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(federated[i].name, expected[i].name);
    const auto reference = expected[i].tensor.to(torch::kDouble);
    const double distance =
        (federated[i].tensor.to(torch::kDouble) - reference).norm().item<double>();
    EXPECT_LE(distance, 1e-5 * reference.norm().item<double>()) << expected[i].name;
  }
}

}  // namespace
}  // namespace convoy::trainer
