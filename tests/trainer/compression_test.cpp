// SPDX-License-Identifier: Apache-2.0
// Whole training runs with compressed gradients.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "compress/reduce/plan_json.h"
#include "tests/trainer/resume_check.h"
#include "tests/trainer/training_fixture.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/state_dict.h"

namespace convoy::trainer {
namespace {

using tests::expect_bit_exact_resume;
using tests::small_job;
using tests::TemporaryFolder;
using tests::train_local;

/// Plans are made before steps 4, 10, 16, ... and take effect two steps later.
Job compressed_job(const std::string& family, double level) {
  Job job = small_job();
  job.compression.family = family;
  job.compression.level = level;
  job.compression.policy = "lgreco";
  job.compression.min_numel = 64;
  job.compression.group = 64;
  job.compression.warmup_steps = 4;
  job.compression.window = 3;
  job.compression.adapt_every = 6;
  job.compression.plan_lag = 2;
  job.run.verify_replicas_every = 1;
  return job;
}

std::vector<nlohmann::json> lines_of(const std::filesystem::path& path) {
  std::vector<nlohmann::json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

TEST(CompressedTraining, ResumesBitExactly) {
  for (Job job : {compressed_job("quantize", 4), compressed_job("top_k", 0.1),
                  compressed_job("power_sgd", 2)}) {
    job.compression.rounding = "stochastic";
    job.train.steps = 11;  // half of them: the plan of step 10's window is not yet in effect
    expect_bit_exact_resume(job, 3);
  }
}

TEST(CompressedTraining, ResumesWithResidualsInBFloat16) {
  Job job = compressed_job("top_k", 0.05);
  job.compression.residual = "bfloat16";
  job.train.steps = 9;
  expect_bit_exact_resume(job, 2);
}

TEST(CompressedTraining, RepeatsTheBitsOfTheSameSeedWhateverTheBuckets) {
  TemporaryFolder folder;
  Job job = compressed_job("quantize", 3);
  job.compression.rounding = "stochastic";
  const auto first = train_local(job, 3, folder.path() / "a").parameters_hash;
  job.communication.bucket_mb = 0.0005;
  EXPECT_EQ(train_local(job, 3, folder.path() / "b").parameters_hash, first);
  job.communication.overlap = "false";
  EXPECT_EQ(train_local(job, 3, folder.path() / "c").parameters_hash, first);
}

TEST(CompressedTraining, LeavesPlansAndARatioBehind) {
  TemporaryFolder folder;
  const Job job = compressed_job("power_sgd", 2);
  const Summary summary = train_local(job, 2, folder.path());
  EXPECT_GT(summary.compression_ratio, 1.2);
  const auto plans = compress::read_plans(folder.path() / "plans.jsonl");
  ASSERT_EQ(plans.size(), 4U);
  EXPECT_EQ(plans[0].policy, "uniform");
  EXPECT_EQ(plans[0].step, 4);
  for (std::size_t i = 1; i < plans.size(); ++i) {
    EXPECT_EQ(plans[i].step, 6 * static_cast<std::int64_t>(i)) << "4 + 6 (i - 1) + 2";
    EXPECT_LE(plans[i].bytes, plans[i].uniform_bytes);
  }
  const auto metrics = lines_of(folder.path() / "metrics.jsonl");
  EXPECT_GT(metrics.back().value("compression_ratio", 1.0) +
                metrics.front().value("compression_ratio", 1.0),
            1.2);
}

TEST(CompressedTraining, ReplaysThePlansOfAnEarlierRun) {
  TemporaryFolder folder;
  const Job job = compressed_job("quantize", 4);
  const auto first = train_local(job, 2, folder.path() / "first");
  RunRequest request;
  request.run_dir = folder.path() / "second";
  request.quiet = true;
  request.replay_plans = folder.path() / "first" / "plans.jsonl";
  EXPECT_EQ(train_local(job, 2, request).parameters_hash, first.parameters_hash);
  EXPECT_EQ(lines_of(request.run_dir / "plans.jsonl").size(), 4U);
}

TEST(CompressedTraining, ShadowStepsTrainDenselyAndReport) {
  TemporaryFolder folder;
  Job job = compressed_job("top_k", 0.1);
  job.compression.shadow_steps = 8;
  job.train.steps = 11;  // of warm-up and shadow all but one
  const auto shadow = train_local(job, 2, folder.path() / "shadow");
  job.compression.family = "none";
  EXPECT_EQ(train_local(job, 2, folder.path() / "dense").parameters_hash, shadow.parameters_hash);
  EXPECT_TRUE(lines_of(folder.path() / "shadow" / "shadow.jsonl").empty()) << "not over yet";

  job = compressed_job("top_k", 0.1);
  job.compression.shadow_steps = 8;
  job.train.steps = 12;  // exactly
  (void)train_local(job, 2, folder.path() / "longer");
  const auto lines = lines_of(folder.path() / "longer" / "shadow.jsonl");
  ASSERT_EQ(lines.size(), 1U);
  ASSERT_FALSE(lines[0].at("layers").empty());
  for (const auto& layer : lines[0].at("layers")) {
    EXPECT_GT(layer.at("cosine").get<double>(), 0.1);
    EXPECT_LE(layer.at("cosine").get<double>(), 1.0 + 1e-12);
    EXPECT_GT(layer.at("norm_ratio").get<double>(), 0.1);
    EXPECT_GT(layer.at("relative_error").get<double>(), 0.0);
  }
}

TEST(CompressedTraining, AccumulationEqualsALargerBatch) {
  // Power iterations depend smoothly on the gradient, so that rounding stays rounding.
  TemporaryFolder folder;
  Job job = compressed_job("power_sgd", 2);
  job.compression.policy = "uniform";
  job.train.clip_norm = 0.5;
  job.train.batch_size = 16;
  const auto large = train_local(job, 2, folder.path() / "large");
  job.train.batch_size = 4;
  job.train.accumulate = 4;
  const auto small = train_local(job, 2, folder.path() / "small");
  EXPECT_NEAR(large.loss, small.loss, 1e-4);
  EXPECT_EQ(large.samples, small.samples);
}

/// Means over ranks of the residuals in a checkpoint, by name.
std::map<std::string, torch::Tensor> mean_residuals(const std::filesystem::path& checkpoint,
                                                    int ranks) {
  std::map<std::string, torch::Tensor> means;
  for (int rank = 0; rank < ranks; ++rank) {
    const auto file = checkpoint / ("rank-" + std::to_string(rank) + ".pt");
    for (const auto& [name, tensor] : load_state_dict(file)) {
      if (name.find("residual/") == std::string::npos) continue;
      auto& mean = means[name];
      const auto share = tensor.to(torch::kFloat64) / ranks;
      mean = mean.defined() ? mean + share : share;
    }
  }
  return means;
}

TEST(CompressedTraining, KeepsTheMeanResidualOnAnotherNumberOfRanks) {
  TemporaryFolder folder;
  Job job = compressed_job("top_k", 0.05);
  (void)train_local(job, 3, folder.path());
  const auto checkpoints = list_checkpoints(folder.path() / "checkpoints");
  ASSERT_EQ(checkpoints.size(), 1U);
  const auto expected = mean_residuals(checkpoints[0].path, 3);
  ASSERT_FALSE(expected.empty());
  EXPECT_GT(expected.begin()->second.abs().sum().item<double>(), 0.0);
  comm::local::run(2, [&](comm::Communicator& communicator) {
    CheckpointStore store(communicator, folder.path() / "checkpoints", {}, checkpoints[0].identity);
    const auto state = store.load();
    ASSERT_TRUE(state.has_value());
    std::size_t found = 0;
    for (const auto& [name, tensor] : state->rank_tensors) {
      if (!expected.contains(name)) continue;
      ++found;
      EXPECT_TRUE(torch::allclose(tensor.to(torch::kFloat64), expected.at(name), 1e-6, 1e-30))
          << name;
    }
    EXPECT_EQ(found, expected.size());
  });
  job.train.steps += 10;
  RunRequest request;
  request.run_dir = folder.path();
  request.resume = true;
  request.quiet = true;
  EXPECT_EQ(train_local(job, 2, request).steps, job.train.steps);
}

}  // namespace
}  // namespace convoy::trainer
