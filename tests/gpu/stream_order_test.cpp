// SPDX-License-Identifier: Apache-2.0
// Collectives come after what the caller has put on its stream.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "comm/nccl/internal/check.h"
#include "comm/nccl/internal/handles.h"
#include "comm/nccl/nccl.h"
#include "tests/comm/mpi_bootstrap.h"
#include "tests/gpu/own_device.h"

namespace convoy::comm::nccl {
namespace {

void sleep_for_100_ms(void* /*nothing*/) {
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
}

std::vector<float> copy_to_host(const DeviceMemory& memory, std::size_t numel) {
  std::vector<float> values(numel);
  check_cuda(cudaMemcpy(values.data(), memory.get(), numel * sizeof(float), cudaMemcpyDeviceToHost),
             "cudaMemcpy");
  return values;
}

TEST(NcclStreamOrder, ACollectiveReadsWhatTheCallersStreamWritesLate) {
  constexpr std::size_t kNumel = 100'000;
  constexpr std::size_t kBytes = kNumel * sizeof(float);
  const auto bootstrap = tests::make_mpi_bootstrap({});
  tests::take_own_device(*bootstrap);
  const Stream stream = make_stream();
  const auto world = make(*bootstrap, {.stream = reinterpret_cast<std::uintptr_t>(stream.get())});
  const DeviceMemory memory = make_device_memory(kBytes);
  const PinnedMemory source = make_pinned_memory(kBytes);
  auto* floats = reinterpret_cast<float*>(source.get());
  std::fill(floats, floats + kNumel, static_cast<float>(world->rank() + 1));
  check_cuda(cudaMemsetAsync(memory.get(), 0, kBytes, stream.get()), "cudaMemsetAsync");
  check_cuda(cudaLaunchHostFunc(stream.get(), sleep_for_100_ms, nullptr), "cudaLaunchHostFunc");
  check_cuda(
      cudaMemcpyAsync(memory.get(), source.get(), kBytes, cudaMemcpyHostToDevice, stream.get()),
      "cudaMemcpyAsync");
  Buffer values({memory.get(), kBytes}, DType::kFloat32);
  values.device = Device::kCuda;
  world->all_reduce(values).wait();
  const auto ranks = static_cast<float>(world->size());
  EXPECT_EQ(copy_to_host(memory, kNumel), std::vector<float>(kNumel, ranks * (ranks + 1) / 2));
}

}  // namespace
}  // namespace convoy::comm::nccl
