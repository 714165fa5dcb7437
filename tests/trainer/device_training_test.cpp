// SPDX-License-Identifier: Apache-2.0
// backend = "nccl" on the double of CUDA and NCCL: tensors lie on the host, and pass for a
// device's.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "base/errors.h"
#include "comm/nccl/nccl.h"
#include "tests/nccl_double/nccl_double.h"
#include "tests/trainer/poisoned_module.h"
#include "tests/trainer/training_fixture.h"
#include "trainer/parallel/data_parallel.h"

namespace convoy::trainer {
namespace {

using namespace convoy::tests;

/// As train_local(), each rank with a device; tensors stay where LibTorch has put them.
Summary train_on_devices(const Job& job, int ranks, RunRequest request) {
  request.quiet = true;
  request.placement.memory = comm::Device::kCuda;
  Summary summary;
  comm::CommunicatorOptions options;
  options.timeout = std::chrono::seconds(static_cast<std::int64_t>(job.communication.timeout_s));
  comm::local::run(
      ranks,
      [&](comm::Communicator& world) {
        const auto devices = comm::nccl::make(world);
        EXPECT_EQ(comm::nccl::device_of(*devices), world.rank());
        const Summary own = train(*devices, job, request);
        if (world.rank() == 0) summary = own;
      },
      options);
  return summary;
}

/// Two ranks: the order of a sum of two changes no bit.
void expect_the_bits_of_hosts(const Job& job) {
  const NcclDouble cuda({.all_memory_is_device = true});
  TemporaryFolder folder;
  const Summary hosts = train_local(job, 2, folder.path() / "hosts");
  const Summary devices = train_on_devices(job, 2, {.run_dir = folder.path() / "devices"});
  EXPECT_EQ(devices.parameters_hash, hosts.parameters_hash);
  EXPECT_EQ(devices.loss, hosts.loss);
  EXPECT_EQ(devices.train_loss, hosts.train_loss);
}

TEST(DeviceTraining, DenseHasTheBitsOfHosts) {
  Job job = small_job();
  job.communication.bucket_mb = 0.001;  // several
  for (const char* overlap : {"false", "true", "next_forward"}) {
    job.communication.overlap = overlap;
    expect_the_bits_of_hosts(job);
  }
}

TEST(DeviceTraining, CompressedHasTheBitsOfHosts) {
  for (const char* family : {"half", "quantize", "top_k", "power_sgd"}) {
    SCOPED_TRACE(family);
    expect_the_bits_of_hosts(planned_job(family));
  }
}

TEST(DeviceTraining, BatchNormAlsoOverAllRanks) {
  Job job = image_job();
  expect_the_bits_of_hosts(job);
  job.train.sync_batchnorm = true;
  job.train.buffers = "average";
  expect_the_bits_of_hosts(job);
}

TEST(DeviceTraining, ThreeRanksThatAreSlowAgreeAndResumeBitExactly) {
  const NcclDouble cuda({.all_memory_is_device = true,
                         .longest_delay = std::chrono::microseconds(300),
                         .slow_launches = 2});
  TemporaryFolder folder;
  Job job = small_job();
  job.communication.bucket_mb = 0.001;
  job.run.verify_replicas_every = 1;
  const Summary whole = train_on_devices(job, 3, {.run_dir = folder.path() / "whole"});
  job.train.steps /= 2;
  RunRequest parts{.run_dir = folder.path() / "parts"};
  (void)train_on_devices(job, 3, parts);
  job.train.steps *= 2;
  parts.resume = true;
  EXPECT_EQ(train_on_devices(job, 3, parts).parameters_hash, whole.parameters_hash);
}

TEST(DeviceTraining, ALossScaleThatOverflowsLeavesStepsOut) {
  Job job = small_job();
  job.train.loss_scale = std::numeric_limits<float>::max();
  expect_the_bits_of_hosts(job);
}

std::string failure_of(const Job& job, int ranks) {
  TemporaryFolder folder;
  try {
    (void)train_on_devices(job, ranks, {.run_dir = folder.path() / "run"});
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

TEST(DeviceTraining, NamesTheLayerAndTheRankWhoseGradientIsNotFinite) {
  const NcclDouble cuda({.all_memory_is_device = true});
  TemporaryFolder folder;
  save_poisoned_module(folder.path() / "m.pt");
  Job job = small_job();
  job.model.torchscript = (folder.path() / "m.pt").string();
  const std::string why = failure_of(job, 2);
  EXPECT_TRUE(why.starts_with("the gradient of poison on rank 0 is not finite in step 1")) << why;
}

TEST(DevicePlacement, OfADeviceIsNotTheHostsMemory) {
  comm::local::run(1, [](comm::Communicator& communicator) {
    torch::nn::LinearImpl net(2, 2);
    const DataParallelOptions options{.placement = {.device = torch::Device(torch::kCUDA, 0)}};
    EXPECT_THROW(DataParallel(communicator, net, options), ContractError);
  });
}

TEST(DeviceTraining, ADeviceThatNeverComesEndsTheRun) {
  NcclDouble cuda({.all_memory_is_device = true, .lost_ranks = {1}});
  Job job = small_job();
  job.communication.timeout_s = 1;
  const std::string why = failure_of(job, 2);
  EXPECT_NE(why.find("all_reduce"), std::string::npos) << why;
  (void)cuda.take_counters();
}

}  // namespace
}  // namespace convoy::trainer
