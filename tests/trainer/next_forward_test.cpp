// SPDX-License-Identifier: Apache-2.0
// communication.overlap = "next_forward" in whole runs: the bits of those without it.
#include <gtest/gtest.h>
#include <torch/script.h>

#include <atomic>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "tests/trainer/poisoned_module.h"
#include "tests/trainer/resume_check.h"
#include "tests/trainer/training_fixture.h"

namespace convoy::trainer {
namespace {

using namespace convoy::tests;

void expect_same_bits(Job job, int ranks) {
  TemporaryFolder folder;
  const Summary expected = train_local(job, ranks, folder.path() / "backward");
  job.communication.overlap = "next_forward";
  job.communication.bucket_mb = 0.001;  // several
  const Summary late = train_local(job, ranks, folder.path() / "next_forward");
  EXPECT_EQ(late.parameters_hash, expected.parameters_hash);
  EXPECT_EQ(late.steps, expected.steps);
  EXPECT_EQ(late.loss, expected.loss);
  EXPECT_EQ(late.train_loss, expected.train_loss);
}

Job power_sgd_job() {
  Job job = planned_job("power_sgd");
  job.compression.level = 2;
  return job;
}

TEST(NextForwardTraining, WithMomentumAndASchedule) {
  Job job = small_job();
  job.train.schedule = {.name = "cosine", .warmup_steps = 7};
  job.run.verify_replicas_every = 3;
  for (const int ranks : {1, 2, 3}) expect_same_bits(job, ranks);
}

TEST(NextForwardTraining, WithAdamWAccumulationAndEvaluations) {
  Job job = small_job();
  job.train.optimizer = {.name = "adamw", .lr = 1e-3, .weight_decay = 0.01};
  job.train.steps = 0;
  job.train.epochs = 3;  // the last steps of which have fewer samples
  job.train.accumulate = 2;
  job.data.samples = 200;
  job.metrics.every_steps = 1;
  expect_same_bits(job, 3);
}

TEST(NextForwardTraining, WithBatchNormAlsoOverAllRanks) {
  Job job = image_job();
  expect_same_bits(job, 2);
  job.train.buffers = "average";
  job.train.sync_batchnorm = true;
  expect_same_bits(job, 2);
}

TEST(NextForwardTraining, WithAScriptedModel) {
  TemporaryFolder folder;
  torch::jit::Module module("m");
  torch::manual_seed(1);
  module.register_parameter("first", (torch::randn({24, 12}) * 0.2).requires_grad_(), false);
  module.register_parameter("bias", torch::zeros({24}).requires_grad_(), false);
  module.register_parameter("second", (torch::randn({5, 24}) * 0.2).requires_grad_(), false);
  module.define(R"(
    def forward(self, x):
      h = torch.relu(torch.matmul(x, self.first.t()) + self.bias)
      return torch.matmul(h, self.second.t())
  )");
  module.save((folder.path() / "m.pt").string());
  Job job = small_job();
  job.model.torchscript = (folder.path() / "m.pt").string();
  for (const int ranks : {2, 3}) expect_same_bits(job, ranks);
}

TEST(NextForwardTraining, WithPlannedCompression) { expect_same_bits(power_sgd_job(), 3); }

TEST(NextForwardTraining, BalancedBySpeedItTrainsOnTheSameBatches) {
  TemporaryFolder folder;
  Job job = small_job();
  job.communication.overlap = "next_forward";
  job.train.balance = "speed";
  job.train.balance_every = 4;
  job.train.emulate_sample_seconds = {0.0, 0.001};
  job.run.verify_replicas_every = 1;
  const Summary summary = train_local(job, 2, folder.path());
  EXPECT_EQ(summary.samples, 20 * 2 * 8);
}

TEST(NextForwardTraining, ResumesBitExactly) {
  Job momentum = small_job();
  momentum.communication.overlap = "next_forward";
  expect_bit_exact_resume(momentum, 3);
  Job compressed = power_sgd_job();
  compressed.communication.overlap = "next_forward";
  compressed.train.steps = 11;  // half of them: a plan is not yet in effect
  expect_bit_exact_resume(compressed, 2);
}

std::string failure_of(const Job& job, const std::filesystem::path& run_dir) {
  try {
    (void)train_local(job, 2, run_dir);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(NextForwardTraining, NamesTheSameNonFiniteGradientOrLoss) {
  TemporaryFolder folder;
  Job diverging = small_job();
  diverging.train.optimizer.lr = 1e18;
  diverging.train.optimizer.momentum = 0;
  save_poisoned_module(folder.path() / "m.pt");
  Job poisoned = small_job();
  poisoned.model.torchscript = (folder.path() / "m.pt").string();
  for (Job job : {diverging, poisoned}) {
    const std::string expected = failure_of(job, folder.path() / "backward");
    EXPECT_NE(expected.find("is not finite in step"), std::string::npos) << expected;
    job.communication.overlap = "next_forward";
    EXPECT_EQ(failure_of(job, folder.path() / "next_forward"), expected);
  }
  EXPECT_TRUE(failure_of(poisoned, folder.path() / "p")
                  .starts_with("the gradient of poison on rank 0 is not finite in step 1"));
}

TEST(NextForwardTraining, ARunThatIsStoppedSavesWhatItsLastStepHasMade) {
  TemporaryFolder folder;
  Job job = small_job();
  job.train.steps = 1;
  const Summary one_step = train_local(job, 2, folder.path() / "one");
  job.train.steps = 20;
  job.communication.overlap = "next_forward";
  const std::atomic<bool> stop = true;
  RunRequest request;
  request.run_dir = folder.path() / "stopped";
  request.quiet = true;
  request.stop = &stop;
  const Summary stopped = train_local(job, 2, request);
  EXPECT_TRUE(stopped.interrupted);
  EXPECT_EQ(stopped.steps, 1);
  EXPECT_EQ(stopped.parameters_hash, one_step.parameters_hash);
}

}  // namespace
}  // namespace convoy::trainer
