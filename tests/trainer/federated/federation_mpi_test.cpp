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

}  // namespace
}  // namespace convoy::trainer
