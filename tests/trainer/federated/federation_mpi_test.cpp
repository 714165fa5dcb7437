// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/mpi_world.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/federated/federation_fixture.h"

namespace convoy::trainer {
namespace {

TEST(FederationMpi, TrainsTheModelOfOneProcess) {
  const auto owned = tests::mpi_world().world();
  comm::Communicator& world = *owned;
  Job job = tests::federated_job();
  job.federation.clients = world.size() - 1;
  job.federation.speeds = "exponential";
  const tests::TemporaryFolder folder;
  const auto found = federate(world, job, {.run_dir = folder.path(), .quiet = true});
  if (world.rank() != 0) return;
  const tests::TemporaryFolder alone;
  EXPECT_EQ(found.run.parameters_hash, tests::federate_here(job, alone.path()).run.parameters_hash);
}

/// What compression owes to clients is in the server's checkpoint.
TEST(FederationMpi, GoesOnWithCompressedUpdatesBitForBit) {
  const auto owned = tests::mpi_world().world();
  comm::Communicator& world = *owned;
  for (const char* family : {"quantize", "top_k"}) {
    Job job = tests::federated_job();
    job.federation.clients = world.size() - 1;
    job.federation.speeds = "exponential";
    job.compression.family = family;
    job.compression.min_numel = 1;
    job.checkpoint.every_steps = 5;
    const tests::TemporaryFolder folder;
    FederatedSummary pieces;
    for (const std::int64_t end : {8, 30}) {
      job.federation.updates = end;
      pieces = federate(world, job, {.run_dir = folder.path(), .resume = end > 8, .quiet = true});
    }
    if (world.rank() != 0) continue;
    const tests::TemporaryFolder alone;
    EXPECT_EQ(pieces.run.parameters_hash,
              tests::federate_here(job, alone.path()).run.parameters_hash)
        << family;
  }
}

}  // namespace
}  // namespace convoy::trainer
