// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "comm/local/local.h"
#include "tests/temporary_folder.h"
#include "trainer/trainer.h"

namespace convoy::tests {

/// A small job on synthetic clusters: mlp, SGD with momentum.
inline trainer::Job small_job() {
  trainer::Job job;
  job.run.seed = 5;
  job.data.name = "synthetic";
  job.data.samples = 800;
  job.data.features = 12;
  job.data.classes = 5;
  job.model.name = "mlp";
  job.model.hidden = 24;
  job.train.steps = 20;
  job.train.batch_size = 8;
  job.train.optimizer.lr = 0.05;
  job.metrics.every_steps = 5;
  job.communication.timeout_s = 20;
  return job;
}

/// A small job whose levels are planned several times in 20 steps.
inline trainer::Job planned_job(const std::string& family) {
  trainer::Job job = small_job();
  job.compression.family = family;
  job.compression.policy = "lgreco";
  job.compression.min_numel = 64;
  job.compression.warmup_steps = 4;
  job.compression.window = 3;
  job.compression.adapt_every = 6;
  job.compression.plan_lag = 2;
  return job;
}

/// A small job on real images with a network that has BatchNorm.
inline trainer::Job image_job() {
  trainer::Job job = small_job();
  job.data = {};
  job.data.name = "fashion-mnist";
  job.data.limit = 200;
  job.data.validation = 0.2;
  job.model.name = "resnet20";
  job.train.steps = 2;
  job.train.batch_size = 4;
  return job;
}

/// Trains with `ranks` threads; the summary of rank 0.
inline trainer::Summary train_local(const trainer::Job& job, int ranks,
                                    const trainer::RunRequest& request) {
  trainer::Summary summary;
  comm::CommunicatorOptions options;
  options.timeout = std::chrono::seconds(60);
  if (job.communication.chunk_kb > 0) {
    options.chunk_bytes = static_cast<std::size_t>(job.communication.chunk_kb) << 10;
  }
  comm::local::run(
      ranks,
      [&](comm::Communicator& world) {
        const trainer::Summary own = trainer::train(world, job, request);
        if (world.rank() == 0) summary = own;
      },
      options);
  return summary;
}

inline trainer::Summary train_local(const trainer::Job& job, int ranks,
                                    const std::filesystem::path& run_dir) {
  trainer::RunRequest request;
  request.run_dir = run_dir;
  request.quiet = true;
  return train_local(job, ranks, request);
}

}  // namespace convoy::tests
