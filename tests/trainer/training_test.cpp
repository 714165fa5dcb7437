// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <atomic>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/file.h"
#include "tests/trainer/resume_check.h"
#include "tests/trainer/training_fixture.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/state_dict.h"

namespace convoy::trainer {
namespace {

using tests::expect_bit_exact_resume;
using tests::image_job;
using tests::small_job;
using tests::TemporaryFolder;
using tests::train_local;

std::map<std::string, torch::Tensor> weights_of(const std::filesystem::path& run_dir) {
  std::map<std::string, torch::Tensor> weights;
  for (const auto& entry : load_state_dict(run_dir / "model.pt"))
    weights[entry.name] = entry.tensor;
  return weights;
}

/// ||a - b|| / ||b|| <= bound for every floating-point tensor.
void expect_close(const std::filesystem::path& a, const std::filesystem::path& b, double bound) {
  const auto left = weights_of(a);
  const auto right = weights_of(b);
  ASSERT_EQ(left.size(), right.size());
  ASSERT_FALSE(left.empty());
  for (const auto& [name, tensor] : right) {
    if (!tensor.is_floating_point()) continue;
    const auto difference = (left.at(name).to(torch::kDouble) - tensor.to(torch::kDouble)).norm();
    const double relative = difference.item<double>() /
                            std::max(1e-12, tensor.to(torch::kDouble).norm().item<double>());
    EXPECT_LE(relative, bound) << name;
  }
}

TEST(Training, FourRanksOfEightEqualOneOfThirtyTwo) {
  TemporaryFolder folder;
  Job job = small_job();
  (void)train_local(job, 4, folder.path() / "four");
  job.train.batch_size = 32;
  (void)train_local(job, 1, folder.path() / "one");
  expect_close(folder.path() / "four", folder.path() / "one", 1e-5);
}

TEST(Training, SyncBatchNormMakesRanksEqualOneBigBatch) {
  TemporaryFolder folder;
  // One step: later ones may differ where a ReLU's input is within rounding of zero (see
  // equivalence.h, which compares 20 steps of a smooth network).
  Job job = image_job();
  job.train.steps = 1;
  job.train.sync_batchnorm = true;
  (void)train_local(job, 4, folder.path() / "four");
  job.train.batch_size = 16;
  (void)train_local(job, 1, folder.path() / "one");
  expect_close(folder.path() / "four", folder.path() / "one", 1e-5);
  job.train.batch_size = 4;
  job.train.sync_batchnorm = false;
  (void)train_local(job, 4, folder.path() / "unsynchronised");
  const auto one = weights_of(folder.path() / "one");
  const auto other = weights_of(folder.path() / "unsynchronised");
  const auto& [name, tensor] = *one.begin();
  EXPECT_FALSE(torch::equal(tensor, other.at(name)))
      << "without it the result must differ: " << name;
}

TEST(Training, AnUnevenEpochEqualsOneRankToo) {
  // 83 samples on 3 ranks of 8: the last global batch holds 11 samples, 4 + 4 + 3; and with
  // accumulation a micro-batch of 5 on 6 ranks leaves one rank with nothing.
  TemporaryFolder folder;
  Job job = small_job();
  job.data.limit = 83;
  job.train.steps = 0;
  job.train.epochs = 3;
  (void)train_local(job, 3, folder.path() / "three");
  job.train.batch_size = 24;
  (void)train_local(job, 1, folder.path() / "one");
  expect_close(folder.path() / "three", folder.path() / "one", 1e-5);
  job.data.limit = 5 * 6 * 4 + 5;
  job.train.batch_size = 4;
  job.train.accumulate = 3;
  (void)train_local(job, 6, folder.path() / "six");
  job.train.batch_size = 24;
  (void)train_local(job, 1, folder.path() / "accumulated");
  expect_close(folder.path() / "six", folder.path() / "accumulated", 1e-5);
}

TEST(Training, AnEpochMayEndWithoutRankZero) {
  // 73 samples on 3 ranks of 8: the last global batch holds one, which rank 2 gets.
  TemporaryFolder folder;
  Job job = small_job();
  job.data.limit = 73;
  job.train.steps = 0;
  job.train.epochs = 2;
  (void)train_local(job, 3, folder.path() / "three");
  job.train.batch_size = 24;
  (void)train_local(job, 1, folder.path() / "one");
  expect_close(folder.path() / "three", folder.path() / "one", 1e-5);
}

TEST(Training, AccumulationEqualsALargerBatch) {
  TemporaryFolder folder;
  Job job = small_job();
  job.train.accumulate = 4;
  (void)train_local(job, 2, folder.path() / "small");
  job.train.accumulate = 1;
  job.train.batch_size = 32;
  (void)train_local(job, 2, folder.path() / "large");
  expect_close(folder.path() / "small", folder.path() / "large", 1e-5);
}

TEST(Training, SameSeedSameBitsWhateverTheBuckets) {
  TemporaryFolder folder;
  Job job = small_job();
  const std::string first = train_local(job, 3, folder.path() / "a").parameters_hash;
  EXPECT_EQ(train_local(job, 3, folder.path() / "b").parameters_hash, first);
  job.communication.bucket_mb = 0.0005;
  job.communication.chunk_kb = 1;
  EXPECT_EQ(train_local(job, 3, folder.path() / "c").parameters_hash, first);
  job.communication.overlap = "false";
  EXPECT_EQ(train_local(job, 3, folder.path() / "d").parameters_hash, first);
  job.run.seed = 6;
  EXPECT_NE(train_local(job, 3, folder.path() / "e").parameters_hash, first);
}

TEST(Training, ResumesBitExactlyWithMomentum) { expect_bit_exact_resume(small_job(), 3); }

TEST(Training, ResumesBitExactlyWithAdamWDropoutAndWarmup) {
  Job job = small_job();
  job.train.optimizer = {.name = "adamw", .lr = 1e-3, .weight_decay = 0.01};
  job.train.schedule = {.name = "cosine", .warmup_steps = 7};
  job.model.dropout = 0.2;
  expect_bit_exact_resume(job, 2);
}

TEST(Training, ResumesBitExactlyWithBatchNormAndAugmentation) {
  Job job = image_job();
  job.data.augment = true;
  job.train.steps = 2;
  expect_bit_exact_resume(job, 2);
}

TEST(Training, ResumesOnAnotherNumberOfRanks) {
  TemporaryFolder folder;
  Job job = small_job();
  job.train.steps = 0;
  job.train.epochs = 1;
  const Summary before = train_local(job, 4, folder.path());
  job.train.epochs = 2;
  RunRequest request;
  request.run_dir = folder.path();
  request.resume = true;
  request.quiet = true;
  const Summary after = train_local(job, 2, request);
  EXPECT_EQ(before.samples, 720);  // a tenth of 800 is for evaluation
  EXPECT_EQ(after.samples, 1440);
  EXPECT_EQ(after.epochs, 2);
  EXPECT_EQ(after.steps, 23 + 45);
}

TEST(Training, StopsTogetherWithACheckpointAndGoesOnFromIt) {
  TemporaryFolder folder;
  const Job job = small_job();
  std::atomic<bool> stop{true};
  RunRequest request;
  request.run_dir = folder.path();
  request.stop = &stop;
  request.quiet = true;
  const Summary first = train_local(job, 2, request);
  EXPECT_TRUE(first.interrupted);
  EXPECT_EQ(first.steps, 1);
  ASSERT_EQ(list_checkpoints(folder.path() / "checkpoints").size(), 1u);
  stop = false;
  request.resume = true;
  const Summary second = train_local(job, 2, request);
  EXPECT_FALSE(second.interrupted);
  TemporaryFolder other;
  EXPECT_EQ(second.parameters_hash, train_local(job, 2, other.path()).parameters_hash);
}

TEST(Training, BytesOfAnIntervalLeaveOutThoseBeforeAResume) {
  TemporaryFolder folder;
  Job job = small_job();
  (void)train_local(job, 2, folder.path());
  job.train.steps += job.metrics.every_steps;
  RunRequest request;
  request.run_dir = folder.path();
  request.resume = true;
  request.quiet = true;
  (void)train_local(job, 2, request);
  std::int64_t before = 0;
  std::int64_t after = 0;
  std::ifstream lines(folder.path() / "metrics.jsonl");
  for (std::string line; std::getline(lines, line);) {
    const auto entry = nlohmann::json::parse(line);
    if (entry.at("kind") != "train") continue;
    (entry.at("step") < job.train.steps ? before : after) +=
        entry.at("bytes_sent").get<std::int64_t>();
  }
  EXPECT_GT(after, 0);
  EXPECT_LT(after, before);
}

TEST(Training, NonFiniteLossNamesRankAndStep) {
  TemporaryFolder folder;
  Job job = small_job();
  job.train.optimizer.lr = 1e30;
  job.train.optimizer.momentum = 0;
  try {
    (void)train_local(job, 2, folder.path());
    FAIL() << "a learning rate of 1e30 went unnoticed";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("rank "), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("not finite in step"), std::string::npos);
  }
}

TEST(Training, NonFiniteLossCanBeSkipped) {
  TemporaryFolder folder;
  Job job = small_job();
  job.train.on_nonfinite = "skip";
  job.train.optimizer.lr = 1e30;
  job.train.optimizer.momentum = 0;
  const Summary summary = train_local(job, 2, folder.path());
  EXPECT_GT(summary.skipped_steps, 0);
  EXPECT_EQ(summary.steps, job.train.steps);
}

TEST(Training, MoreRanksThanSamplesIsRefused) {
  TemporaryFolder folder;
  Job job = small_job();
  job.data.limit = 2;
  EXPECT_THROW((void)train_local(job, 3, folder.path()), ConfigError);
}

TEST(Training, RanksWithOtherDataAreRefused) {
  TemporaryFolder folder;
  comm::local::run(2, [&](comm::Communicator& world) {
    Job job = small_job();
    if (world.rank() == 1) job.data.samples = 700;
    try {
      (void)train(world, job, {.run_dir = folder.path() / "run", .quiet = true});
      ADD_FAILURE() << "rank " << world.rank() << " trained";
    } catch (const ConfigError& error) {
      EXPECT_STREQ(error.what(),
                   "the ranks read different data: rank 1 has 630 training samples, rank 0 has "
                   "720");
    }
  });
}

TEST(Training, LeavesMetricsSummaryAndModelBehind) {
  TemporaryFolder folder;
  const Summary summary = train_local(small_job(), 2, folder.path());
  const auto json = nlohmann::json::parse(read_text_file(folder.path() / "summary.json"));
  EXPECT_EQ(json.at("parameters_hash"), summary.parameters_hash);
  EXPECT_EQ(json.at("ranks"), 2);
  EXPECT_GT(json.at("bytes_sent").get<double>(), 0);
  std::ifstream lines(folder.path() / "metrics.jsonl");
  int train_lines = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto entry = nlohmann::json::parse(line);
    train_lines += entry.at("kind") == "train" ? 1 : 0;
  }
  EXPECT_EQ(train_lines, 4);
  Job job = small_job();
  comm::local::run(2, [&](comm::Communicator& world) {
    const Evaluation again = evaluate(world, job, folder.path() / "model.pt");
    EXPECT_NEAR(again.loss, summary.loss, 1e-9);
    EXPECT_DOUBLE_EQ(again.accuracy, summary.accuracy);
  });
}

}  // namespace
}  // namespace convoy::trainer
