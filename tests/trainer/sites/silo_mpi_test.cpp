// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <thread>

#include "tests/mpi_world.h"
#include "tests/trainer/sites/silo_fixture.h"

namespace convoy::trainer {
namespace {

using namespace convoy::tests;

TEST(SiloMpi, EqualsOneProcessWithTheGlobalBatch) {
  const auto world = mpi_world().world();
  const Job job = silo_job();
  const SiloData data{.validation = 0.15};
  const MakeSilo make = [&](const SiloOffer& offer) {
    EXPECT_EQ(offer.number, 3);
    return silo_setup(job, data);
  };
  const auto found = be_silo_rank(*world, make);
  if (world->rank() != 0) return;
  const auto expected = train_alone(with_global_batch(job, world->size()), data);
  if (world->size() == 1) return expect_same_bits(found, expected);
  expect_close(found, expected);
}

/// To the bit.
TEST(SiloMpi, EqualsRanksThatAreThreads) {
  const auto world = mpi_world().world();
  Job job = silo_job();
  job.model.dropout = 0.3;
  const auto found = be_silo_rank(*world, [&](const SiloOffer&) { return silo_setup(job); });
  if (world->rank() == 0) expect_same_bits(found, train_silo(world->size(), job));
}

TEST(SiloMpi, WaitsLongerThanAnyCallMayTakeAndEndsARoundInTheMiddle) {
  const auto world = mpi_world().world({.timeout = std::chrono::milliseconds(500)});
  const auto slowly = [calls = 0]() mutable { return ++calls != 4; };
  const MakeSilo make = [&](const SiloOffer&) { return silo_setup(silo_job()); };
  if (world->rank() != 0) return serve_silo(*world, make);
  Silo silo(*world);
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  const auto worker = silo.start({}, make);
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  EXPECT_EQ(worker->train({.steps = 30}, copy_state(worker->model()), slowly).steps, 4);
}

}  // namespace
}  // namespace convoy::trainer
