// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/trainer/training_fixture.h"

namespace convoy::tests {

/// N steps, a checkpoint, and N more after a resume give the bits of 2N steps.
inline void expect_bit_exact_resume(trainer::Job job, int ranks) {
  TemporaryFolder folder;
  const std::int64_t half = job.train.steps;
  job.checkpoint.every_steps = half;
  job.train.steps = 2 * half;
  const trainer::Summary whole = train_local(job, ranks, folder.path() / "whole");
  trainer::RunRequest request;
  request.run_dir = folder.path() / "parts";
  request.quiet = true;
  std::filesystem::create_directories(request.run_dir / "checkpoints");
  const std::string middle = "checkpoints/step-" + std::to_string(half);
  std::filesystem::copy(folder.path() / "whole" / middle, request.run_dir / middle,
                        std::filesystem::copy_options::recursive);
  request.resume = true;
  const trainer::Summary parts = train_local(job, ranks, request);
  EXPECT_EQ(parts.parameters_hash, whole.parameters_hash);
  EXPECT_EQ(parts.steps, whole.steps);
  EXPECT_EQ(parts.samples, whole.samples);
  EXPECT_EQ(parts.skipped_steps, whole.skipped_steps);
}

}  // namespace convoy::tests
