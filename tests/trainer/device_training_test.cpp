// SPDX-License-Identifier: Apache-2.0
// backend = "nccl", and ranks with and without devices, on the double of CUDA and NCCL: tensors lie
// on the host and pass for a device's, and kernels run there.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "base/errors.h"
#include "comm/nccl/nccl.h"
#include "comm/nccl/staging.h"
#include "compress/reduce/device_executor.h"
#include "tests/compress/cuda/queued_engine.h"
#include "tests/nccl_double/nccl_double.h"
#include "tests/trainer/poisoned_module.h"
#include "tests/trainer/training_fixture.h"
#include "trainer/parallel/data_parallel.h"

namespace convoy::trainer {
namespace {

using namespace convoy::tests;

/// A rank with a device: tensors stay where LibTorch has put them, and kernels run on the host when
/// the double's stream comes to them.
struct DeviceRank {
  comm::nccl::Stream stream = comm::nccl::make_stream();

  [[nodiscard]] std::uintptr_t number() const {
    return reinterpret_cast<std::uintptr_t>(stream.get());
  }
  Summary run(comm::Communicator& communicator, const Job& job, RunRequest request) const {
    using compress::device_executor;
    using compress::cuda::make_queued_engine;
    request.placement.memory = comm::Device::kCuda;
    request.placement.executors = {.reducing = device_executor(make_queued_engine(stream.get())),
                                   .planning = device_executor(make_queued_engine())};
    return train(communicator, job, request);
  }
};

/// As train_local(), each rank with a device.
Summary train_on_devices(const Job& job, int ranks, RunRequest request) {
  request.quiet = true;
  Summary summary;
  comm::CommunicatorOptions options;
  options.timeout = std::chrono::seconds(static_cast<std::int64_t>(job.communication.timeout_s));
  comm::local::run(
      ranks,
      [&](comm::Communicator& world) {
        const auto device = comm::nccl::share_devices(world, comm::nccl::DeviceWish::kMust);
        EXPECT_EQ(device, world.rank());
        const DeviceRank rank;
        const auto devices = comm::nccl::make(world, {.stream = rank.number(), .device = *device});
        const Summary own = rank.run(*devices, job, request);
        if (world.rank() == 0) summary = own;
      },
      options);
  return summary;
}

/// Ranks 0, 2, ... with a device, the others without.
Summary train_mixed(Job job, int ranks, RunRequest request) {
  job.run.device = "mixed";
  request.quiet = true;
  Summary summary;
  comm::local::run(ranks, [&](comm::Communicator& world) {
    const auto device =
        comm::nccl::share_devices(world, world.rank() % 2 == 0 ? comm::nccl::DeviceWish::kMust
                                                               : comm::nccl::DeviceWish::kNone);
    if (!device) {
      (void)train(world, job, request);
      return;
    }
    const DeviceRank rank;
    const auto staged = comm::nccl::stage(world, {.stream = rank.number(), .device = *device});
    const Summary own = rank.run(*staged, job, request);
    if (world.rank() == 0) summary = own;
  });
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

/// Three ranks: sums are taken in rank order.
void expect_mixed_has_the_bits_of_hosts(Job job) {
  const NcclDouble cuda(
      {.all_memory_is_device = true, .longest_delay = std::chrono::microseconds(200)});
  TemporaryFolder folder;
  job.run.verify_replicas_every = 1;
  const Summary hosts = train_local(job, 3, folder.path() / "hosts");
  const Summary mixed = train_mixed(job, 3, {.run_dir = folder.path() / "mixed"});
  EXPECT_EQ(mixed.parameters_hash, hosts.parameters_hash);
  EXPECT_EQ(mixed.train_loss, hosts.train_loss);
}

TEST(MixedTraining, DenseHasTheBitsOfHosts) {
  Job job = small_job();
  job.communication.bucket_mb = 0.001;
  for (const char* overlap : {"false", "true", "next_forward"}) {
    job.communication.overlap = overlap;
    expect_mixed_has_the_bits_of_hosts(job);
  }
  job.communication.overlap = "true";
  job.train.clip_norm = 0.05;
  job.train.optimizer.name = "adamw";
  expect_mixed_has_the_bits_of_hosts(job);
}

TEST(MixedTraining, CompressedHasTheBitsOfHosts) {
  for (const char* family : {"half", "quantize", "top_k", "power_sgd"}) {
    SCOPED_TRACE(family);
    expect_mixed_has_the_bits_of_hosts(planned_job(family));
  }
}

TEST(MixedTraining, ResumesBitExactly) {
  const NcclDouble cuda({.all_memory_is_device = true});
  TemporaryFolder folder;
  Job job = planned_job("power_sgd");
  const Summary whole = train_local(job, 2, folder.path() / "whole");
  job.train.steps /= 2;
  (void)train_mixed(job, 2, {.run_dir = folder.path() / "parts"});
  job.train.steps *= 2;
  EXPECT_EQ(
      train_mixed(job, 2, {.run_dir = folder.path() / "parts", .resume = true}).parameters_hash,
      whole.parameters_hash);
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
