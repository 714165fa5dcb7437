// SPDX-License-Identifier: Apache-2.0
#include "trainer/precision.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <fstream>
#include <string>

#include "base/errors.h"
#include "tests/trainer/resume_check.h"
#include "tests/trainer/training_fixture.h"
#include "trainer/checkpoint/state_dict.h"

namespace convoy::trainer {
namespace {

using tests::image_job;
using tests::small_job;
using tests::TemporaryFolder;
using tests::train_local;

torch::Tensor weights_of(const std::filesystem::path& run_dir) {
  std::vector<torch::Tensor> all;
  for (const auto& entry : load_state_dict(run_dir / "model.pt")) {
    if (!entry.tensor.is_floating_point()) continue;
    EXPECT_EQ(entry.tensor.scalar_type(), torch::kFloat32) << entry.name;
    all.push_back(entry.tensor.flatten());
  }
  return torch::cat(all);
}

double relative_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).norm().item<double>() / b.norm().item<double>();
}

TEST(LossScaler, HalvesAtOnceAndDoublesAfterManyGoodSteps) {
  LossScaler scaler(3000.0);
  EXPECT_EQ(scaler.scale(), 2048.0);
  for (int i = 1; i < LossScaler::kGrowEvery; ++i) scaler.grow();
  EXPECT_EQ(scaler.scale(), 2048.0);
  scaler.grow();
  EXPECT_EQ(scaler.scale(), 4096.0);
  for (int i = 1; i < LossScaler::kGrowEvery; ++i) scaler.grow();
  EXPECT_TRUE(scaler.back_off());
  EXPECT_EQ(scaler.scale(), 2048.0);
  scaler.grow();
  EXPECT_EQ(scaler.scale(), 2048.0) << "good steps are counted anew";
  LossScaler restored(1.0);
  restored.restore(2048.0, LossScaler::kGrowEvery - 1);
  restored.grow();
  EXPECT_EQ(restored.scale(), 4096.0);
}

TEST(LossScaler, StaysBetweenOneAndTheLargest) {
  LossScaler scaler(1e30);
  EXPECT_EQ(scaler.scale(), LossScaler::kLargest);
  for (int i = 0; i < LossScaler::kGrowEvery; ++i) scaler.grow();
  EXPECT_EQ(scaler.scale(), LossScaler::kLargest);
  while (scaler.scale() > 1.0) EXPECT_TRUE(scaler.back_off());
  EXPECT_FALSE(scaler.back_off());
  LossScaler none(0.0);
  for (int i = 0; i < LossScaler::kGrowEvery; ++i) none.grow();
  EXPECT_EQ(none.scale(), 1.0);
  EXPECT_FALSE(none.back_off());
  EXPECT_EQ(make_loss_scaler({.amp = "fp16"}).scale(), 65536.0);
  EXPECT_EQ(make_loss_scaler({.amp = "bf16"}).scale(), 1.0);
}

TEST(Precision, Float16IsRefusedWithAReason) {
  TemporaryFolder folder;
  Job job = small_job();
  job.train.amp = "fp16";
  EXPECT_THROW((void)train_local(job, 1, folder.path()), ConfigError);
}

TEST(Precision, Bfloat16ComputesInBfloat16AndTrainsAlmostTheSame) {
  for (Job job : {small_job(), image_job()}) {
    TemporaryFolder folder;
    const auto exact = train_local(job, 2, folder.path() / "float32");
    job.train.amp = "bf16";
    const auto mixed = train_local(job, 2, folder.path() / "bf16");
    const double difference = relative_difference(weights_of(folder.path() / "bf16"),
                                                  weights_of(folder.path() / "float32"));
    // Eight bits of mantissa: 2^-9 a product, and nothing would differ at all without them.
    EXPECT_GT(difference, 1e-6) << job.model.name;
    EXPECT_LT(difference, 0.03) << job.model.name;
    EXPECT_NEAR(mixed.train_loss, exact.train_loss, 0.05 * exact.train_loss) << job.model.name;
  }
}

TEST(Precision, EveryNetworkTrainsInBfloat16) {
  for (const std::string name : {"cnn", "vit", "resnet18"}) {
    TemporaryFolder folder;
    Job job = image_job();
    job.data.limit = 40;
    job.model.name = name;
    job.model.layers = 1;
    job.model.dim = 16;
    job.model.patch = 7;
    job.train.amp = "bf16";
    EXPECT_TRUE(std::isfinite(train_local(job, 1, folder.path()).loss)) << name;
  }
}

TEST(Precision, BatchNormOverRanksTakesBfloat16) {
  TemporaryFolder folder;
  Job job = image_job();
  job.train.sync_batchnorm = true;
  const auto exact = train_local(job, 2, folder.path() / "float32");
  job.train.amp = "bf16";
  const auto mixed = train_local(job, 2, folder.path() / "bf16");
  EXPECT_NEAR(mixed.train_loss, exact.train_loss, 0.05 * exact.train_loss);
}

TEST(Precision, WeightsAreConvertedAnewInEveryStep) {
  TemporaryFolder folder;
  Job job = small_job();
  job.train.amp = "bf16";
  const auto first = train_local(job, 1, folder.path() / "first");
  job.train.steps = 60;
  const auto more = train_local(job, 1, folder.path() / "more");
  EXPECT_LT(more.train_loss, 0.8 * first.train_loss) << "it must go on learning";
}

TEST(Precision, AScaleOfTheLossChangesNoBit) {
  for (const std::string amp : {"none", "bf16"}) {
    TemporaryFolder folder;
    Job job = small_job();
    job.train.accumulate = 2;
    job.train.amp = amp;
    job.compression.family = "quantize";
    job.compression.policy = "uniform";
    job.compression.min_numel = 1;
    (void)train_local(job, 2, folder.path() / "plain");
    job.train.loss_scale = 1024;
    (void)train_local(job, 2, folder.path() / "scaled");
    EXPECT_TRUE(weights_of(folder.path() / "plain").equal(weights_of(folder.path() / "scaled")))
        << amp;
  }
}

/// Weights of small_job()'s model that make gradients of about 1e33: finite, but not times 2^24.
void write_huge_weights(const std::filesystem::path& folder) {
  Job job = small_job();
  job.train.steps = 1;
  (void)train_local(job, 1, folder);
  auto weights = load_state_dict(folder / "model.pt");
  const torch::NoGradGuard no_grad;
  torch::Tensor* last = nullptr;
  for (auto& entry : weights) {
    if (entry.tensor.dim() == 2) last = &entry.tensor;
  }
  last->mul_(1e33);
  save_state_dict(folder / "huge.pt", weights);
}

/// Steps that overflow at the largest scale, and not without one.
Job job_of_huge_weights(const std::filesystem::path& folder) {
  write_huge_weights(folder);
  Job job = small_job();
  job.model.init = (folder / "huge.pt").string();
  job.train.optimizer.lr = 0.0;
  job.train.steps = 30;
  return job;
}

TEST(Precision, StepsWhoseScaledGradientsOverflowAreLeftOutUntilTheScaleFits) {
  TemporaryFolder folder;
  Job job = job_of_huge_weights(folder.path());
  const auto plain = train_local(job, 2, folder.path() / "plain");
  EXPECT_EQ(plain.skipped_steps, 0) << "only the scale makes them overflow";
  job.train.loss_scale = LossScaler::kLargest;
  const auto scaled = train_local(job, 2, folder.path() / "scaled");
  EXPECT_GT(scaled.skipped_steps, 2);
  EXPECT_LT(scaled.skipped_steps, 25) << "the scale must come down";
}

TEST(Precision, ResumesToTheBit) {
  Job job = small_job();
  job.train.amp = "bf16";
  tests::expect_bit_exact_resume(job, 2);
}

// With the first scale again more steps would be left out.
TEST(Precision, ResumesWithItsScale) {
  TemporaryFolder folder;
  Job job = job_of_huge_weights(folder.path());
  job.train.loss_scale = LossScaler::kLargest;
  tests::expect_bit_exact_resume(job, 2);
}

}  // namespace
}  // namespace convoy::trainer
