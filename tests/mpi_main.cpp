// SPDX-License-Identifier: Apache-2.0
// main() of the tests that run as real MPI ranks. Refuses to run in a world of another size than
// CTest asked for, so that a run on one rank can never pass for a test of several.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "comm/mpi/mpi.h"
#include "tests/mpi_world.h"

namespace convoy::tests {
namespace {
comm::mpi::Environment* environment = nullptr;
}

comm::mpi::Environment& mpi_world() { return *environment; }
}  // namespace convoy::tests

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  convoy::comm::mpi::Environment environment;
  convoy::tests::environment = &environment;
  const char* expected = std::getenv("CONVOY_TEST_RANKS");
  if (expected == nullptr || std::atoi(expected) != environment.size()) {
    std::fprintf(stderr, "this test wants %s ranks and found %d\n",
                 expected == nullptr ? "CONVOY_TEST_RANKS" : expected, environment.size());
    environment.abort(99);
  }
  const int failed = RUN_ALL_TESTS();
  std::int32_t worst = failed;
  auto world = environment.world();
  world->all_reduce(std::span(&worst, 1), convoy::comm::ReduceOp::kMax).wait();
  return worst;
}
