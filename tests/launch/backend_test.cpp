// SPDX-License-Identifier: Apache-2.0
#include "launch/process/backend.h"

#include <gtest/gtest.h>

#include "base/errors.h"

namespace convoy::launch {
namespace {

Backend choose(const std::string& backend, bool launched, int ranks) {
  return choose_backend({.backend = backend}, launched, ranks);
}

TEST(ChooseBackend, AutoFollowsTheLauncher) {
  EXPECT_EQ(choose("auto", true, 2), Backend::kMpi);
  EXPECT_EQ(choose("auto", true, 1), Backend::kMpi);
  EXPECT_EQ(choose("auto", false, 1), Backend::kLocal);
  EXPECT_EQ(choose("mpi", false, 1), Backend::kMpi);
  EXPECT_EQ(choose("local", true, 1), Backend::kLocal);
  EXPECT_THROW((void)choose("local", true, 2), ConfigError);
}

}  // namespace
}  // namespace convoy::launch
