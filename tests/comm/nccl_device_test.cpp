// SPDX-License-Identifier: Apache-2.0
// Which device a rank takes, and what is said where there is none.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "base/errors.h"
#include "comm/local/local.h"
#include "comm/nccl/internal/device.h"
#include "comm/nccl/nccl.h"
#include "tests/comm/comm_errors.h"
#include "tests/nccl_double/nccl_double.h"

namespace convoy::comm::nccl {
namespace {

using tests::expect_match;
using tests::NcclDouble;

std::string config_error(const std::function<void()>& call) {
  try {
    call();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no ConfigError";
}

std::vector<int> devices_of(const std::vector<DevicePlace>& places) {
  std::vector<int> devices;
  for (int rank = 0; rank < static_cast<int>(places.size()); ++rank) {
    devices.push_back(choose_device(places, rank));
  }
  return devices;
}

DevicePlace place(const std::string& host, int devices, std::uint64_t visible = 1) {
  return {.host = host, .devices = devices, .visible = visible};
}

TEST(NcclDevice, IsOneForEachRankOfAHost) {
  EXPECT_EQ(devices_of({place("a", 2), place("b", 2), place("a", 2), place("b", 2)}),
            (std::vector{0, 0, 1, 1}));
}

// As CUDA_VISIBLE_DEVICES and launchers that bind devices give each rank its own.
TEST(NcclDevice, IsTheFirstWhereEachRankSeesOthers) {
  EXPECT_EQ(devices_of({place("a", 1, 7), place("a", 1, 8), place("a", 1, 9)}),
            (std::vector{0, 0, 0}));
}

TEST(NcclDevice, MayBeChosenByTheCaller) {
  auto chosen = place("a", 4);
  chosen.wanted = 3;
  EXPECT_EQ(devices_of({place("a", 4), chosen, place("a", 4)}), (std::vector{0, 3, 1}));
  chosen.wanted = 4;
  EXPECT_EQ(config_error([&] {
              static_cast<void>(devices_of({place("a", 4), chosen}));
            }),
            "rank 1 wants CUDA device 4, host a has 4");
}

TEST(NcclDevice, IsMissingOnAHostWithMoreRanks) {
  for (const int rank : {0, 1, 2, 3}) {
    const std::vector places{place("a", 8), place("b", 2), place("b", 2), place("b", 2)};
    EXPECT_EQ(config_error([&] { static_cast<void>(choose_device(places, rank)); }),
              "3 ranks on host b share 2 CUDA devices: start one rank for each device there "
              "(CUDA_VISIBLE_DEVICES chooses which)");
  }
}

// The error of make(), which all ranks must get.
std::string error_of_make(int ranks) {
  std::atomic<int> named{0};
  std::string text;
  local::run(ranks, [&](Communicator& bootstrap) {
    const auto own = config_error([&] { static_cast<void>(make(bootstrap)); });
    if (own != "no ConfigError") ++named;
    if (bootstrap.rank() == 0) text = own;
  });
  EXPECT_EQ(named, ranks);
  return text;
}

TEST(NcclMake, RefusesTooFewDevicesOnAllRanks) {
  const NcclDouble cuda({.devices = 2});
  expect_match(error_of_make(3), "3 ranks on host .* share 2 CUDA devices");
}

TEST(NcclMake, SaysWhichPartIsMissing) {
  NcclDouble cuda({.driver = 0});
  EXPECT_FALSE(available());
  expect_match(missing(), "no NVIDIA driver is installed .*CUDA runtime 13.0, NCCL [0-9.]+");
  expect_match(error_of_make(2), "rank 0 on host .* has no usable CUDA device: no NVIDIA driver");
  cuda.set({.driver = 12020, .device_error = cudaErrorInsufficientDriver});
  EXPECT_EQ(missing(), "the NVIDIA driver is too old: it is for CUDA 12.2, the runtime is 13.0");
  cuda.set({.devices = 0});
  expect_match(missing(), "a CUDA driver is installed, but it finds no device|is visible");
  cuda.set({.device_error = cudaErrorIllegalAddress});
  expect_match(missing(), "CUDA devices cannot be used: .*700");
  cuda.set({});
  EXPECT_TRUE(available());
  expect_match(version(), "^NCCL [0-9.]+, CUDA runtime 13.0, driver for CUDA 13.0, 8 devices$");
}

// A rank that fails before the others hear of it leaves them waiting.
TEST(NcclMake, TellsAllRanksOfACudaErrorOfOne) {
  const NcclDouble cuda({.device_error = cudaErrorIllegalAddress});
  local::run(2, [](Communicator& bootstrap) {
    const auto own = bootstrap.rank() == 0 ? place("a", 8) : own_place("", -1);
    const auto places = exchange_places(bootstrap, own);
    expect_match(config_error([&] { static_cast<void>(choose_device(places, bootstrap.rank())); }),
                 "rank 1 on host .* has no usable CUDA device: cudaGetDeviceCount: .*700");
  });
}

TEST(NcclMake, WantsChecksOnAllRanksOrNone) {
  const NcclDouble cuda;
  local::run(2, [](Communicator& bootstrap) {
    const Options options{.check_calls = bootstrap.rank() == 1};
    EXPECT_THROW(static_cast<void>(make(bootstrap, options)), ContractError);
  });
}

TEST(DeviceGuard, GivesTheThreadItsDeviceBack) {
  const NcclDouble cuda;
  {
    const DeviceGuard guard(3);
    int device = 0;
    EXPECT_EQ(cudaGetDevice(&device), cudaSuccess);
    EXPECT_EQ(device, 3);
  }
  int device = 1;
  EXPECT_EQ(cudaGetDevice(&device), cudaSuccess);
  EXPECT_EQ(device, 0);
}

}  // namespace
}  // namespace convoy::comm::nccl
