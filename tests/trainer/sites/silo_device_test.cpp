// SPDX-License-Identifier: Apache-2.0
// Sites whose ranks have devices, on the double of CUDA and NCCL: tensors lie on the host and pass
// for a device's.
#include <gtest/gtest.h>

#include "base/errors.h"
#include "comm/nccl/nccl.h"
#include "comm/nccl/staging.h"
#include "compress/reduce/device_executor.h"
#include "tests/compress/cuda/queued_engine.h"
#include "tests/nccl_double/nccl_double.h"
#include "tests/trainer/sites/silo_fixture.h"

namespace convoy::trainer {
namespace {

using namespace convoy::tests;

std::vector<LocalResult> train_on_devices(
    int ranks, const Job& job, const SiloData& data,
    std::chrono::milliseconds timeout = std::chrono::seconds(30)) {
  std::vector<LocalResult> results;
  comm::CommunicatorOptions options;
  options.timeout = timeout;
  const auto body = [&](comm::Communicator& world) {
    const auto device = comm::nccl::share_devices(world, comm::nccl::DeviceWish::kMust);
    const comm::nccl::Stream stream = comm::nccl::make_stream();
    const auto number = reinterpret_cast<std::uintptr_t>(stream.get());
    const auto site = comm::nccl::make(world, {.stream = number, .device = *device});
    auto own = be_silo_rank(*site, [&](const SiloOffer&) {
      using compress::device_executor;
      using compress::cuda::make_queued_engine;
      auto setup = silo_setup(job, data);
      setup.placement.memory = comm::Device::kCuda;
      setup.placement.executors = {.reducing = device_executor(make_queued_engine(stream.get())),
                                   .planning = device_executor(make_queued_engine())};
      return setup;
    });
    if (world.rank() == 0) results = std::move(own);
  };
  comm::local::run(ranks, body, options);
  return results;
}

/// Two ranks: the order of a sum of two changes no bit.
TEST(SiloDevices, HaveTheBitsOfHosts) {
  const NcclDouble cuda({.all_memory_is_device = true});
  const Job job = silo_job();
  SiloData data{.validation = 0.2};
  expect_same_bits(train_on_devices(2, job, data), train_silo(2, job, data));
  data.compression.family = "quantize";
  data.compression.min_numel = 1;
  expect_same_bits(train_on_devices(2, job, data), train_silo(2, job, data));
}

/// What travels between the ranks does so on their devices.
TEST(SiloDevices, ThatNeverComeEndTheSite) {
  NcclDouble cuda({.all_memory_is_device = true, .lost_ranks = {1}});
  EXPECT_THROW((void)train_on_devices(2, silo_job(), {}, std::chrono::seconds(1)), CommError);
  (void)cuda.take_counters();
}

}  // namespace
}  // namespace convoy::trainer
