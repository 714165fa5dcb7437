// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/compress/dense_reducer_scenario.h"
#include "tests/mpi_world.h"

namespace convoy::tests {
namespace {

TEST(DenseReducerMpi, AveragesInRankOrder) {
  const auto world = mpi_world().world({.timeout = std::chrono::seconds(60)});
  expect_dense_mean(*world);
}

}  // namespace
}  // namespace convoy::tests
