// SPDX-License-Identifier: Apache-2.0
#include "launch/process/backend.h"

#include <gtest/gtest.h>

#include <string>

#include "base/errors.h"
#include "comm/mpi/mpi.h"
#include "comm/nccl/nccl.h"
#include "launch/process/transport_choice.h"

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

TEST(ChooseBackend, NcclIsMpiWithDevicesOrSaysWhatIsMissing) {
  if (comm::nccl::built() && comm::mpi::available()) {
    EXPECT_EQ(choose("nccl", false, 1), Backend::kMpi);
    return;
  }
  try {
    (void)choose("nccl", true, 2);
    ADD_FAILURE() << "was taken";
  } catch (const ConfigError& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("communication.backend = \"nccl\": "));
  }
}

TEST(ChooseTransport, AutoIsTcpBetweenHostsWithoutAFastFabric) {
  EXPECT_TRUE(choose_tcp("auto", {"a", "a", "b"}, false));
  EXPECT_FALSE(choose_tcp("auto", {"a", "a", "b"}, true));
  EXPECT_FALSE(choose_tcp("auto", {"a", "a"}, false));
  EXPECT_TRUE(choose_tcp("tcp", {"a", "a"}, true));
  EXPECT_FALSE(choose_tcp("mpi", {"a", "b"}, false));
}

}  // namespace
}  // namespace convoy::launch
