// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "comm/local/local.h"
#include "trainer/federated/federation.h"

namespace convoy::tests {

/// Four clients of unequal speed on synthetic clusters, mlp, plain SGD.
inline trainer::Job federated_job() {
  trainer::Job job;
  job.run.seed = 5;
  job.data.name = "synthetic";
  job.data.samples = 600;
  job.data.features = 8;
  job.data.classes = 4;
  job.data.partition.name = "dirichlet";
  job.model.name = "mlp";
  job.model.hidden = 12;
  job.model.layers = 1;
  job.train.batch_size = 8;
  job.train.optimizer.lr = 0.1;
  job.train.optimizer.momentum = 0.0;
  job.federation.clients = 4;
  job.federation.updates = 30;
  job.federation.policy.min_local_steps = 2;
  job.federation.policy.max_local_steps = 10;
  job.federation.speeds = "list";
  job.federation.speed_list = {0.1, 0.12, 0.31, 0.07};
  return job;
}

/// In this process; nothing is printed.
inline trainer::FederatedSummary federate_here(const trainer::Job& job,
                                               const std::filesystem::path& run_dir) {
  trainer::FederatedSummary summary;
  comm::local::run(1, [&](comm::Communicator& world) {
    summary = trainer::federate(world, job, {.run_dir = run_dir, .quiet = true});
  });
  return summary;
}

}  // namespace convoy::tests
