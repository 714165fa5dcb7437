// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <vector>

#include "base/errors.h"
#include "comm/local/local.h"
#include "comm/nccl/staging.h"
#include "tests/nccl_double/nccl_double.h"

namespace convoy::comm::nccl {
namespace {

using tests::NcclDouble;

TEST(ShareDevices, GivesThemToThoseWhoWantOne) {
  const NcclDouble cuda({.devices = 2});
  std::vector<int> devices(4);
  local::run(4, [&](Communicator& all) {
    const auto device =
        share_devices(all, all.rank() % 2 == 1 ? DeviceWish::kMust : DeviceWish::kNone);
    devices[static_cast<std::size_t>(all.rank())] = device.value_or(-1);
  });
  EXPECT_EQ(devices, (std::vector{-1, 0, -1, 1}));
}

TEST(ShareDevices, GoRoundAsFarAsTheyAreFree) {
  const NcclDouble cuda({.devices = 2});
  std::vector<int> devices(5);
  local::run(5, [&](Communicator& all) {
    const auto wish = all.rank() == 3   ? DeviceWish::kMust
                      : all.rank() == 0 ? DeviceWish::kNone
                                        : DeviceWish::kIfFree;
    devices[static_cast<std::size_t>(all.rank())] = share_devices(all, wish).value_or(-1);
  });
  EXPECT_EQ(devices, (std::vector{-1, 1, -1, 0, -1}));
}

TEST(ShareDevices, TellsAllRanksWhereTheyDoNotSuffice) {
  const NcclDouble cuda({.devices = 2});
  local::run(4, [&](Communicator& all) {
    EXPECT_THROW(static_cast<void>(
                     share_devices(all, all.rank() != 1 ? DeviceWish::kMust : DeviceWish::kNone)),
                 ConfigError);
    EXPECT_THROW(static_cast<void>(share_devices(
                     all, all.rank() == 1 ? DeviceWish::kMust : DeviceWish::kNone, 2)),
                 ConfigError);
  });
}

}  // namespace
}  // namespace convoy::comm::nccl
