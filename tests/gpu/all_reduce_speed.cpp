// SPDX-License-Identifier: Apache-2.0
// The bandwidth of all-reduce, counted as nccl-tests counts: float32 sums in place, 5 calls to warm
// up, then 20 that are all begun before the first is waited for; busbw = 2 (n - 1) / n * bytes /
// seconds, in 10^9 bytes. The seconds are the slowest rank's. One JSON line for each size.
#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "base/errors.h"
#include "bench/harness.h"
#include "comm/mpi/mpi.h"
#include "comm/nccl/internal/check.h"
#include "comm/nccl/internal/handles.h"
#include "comm/nccl/nccl.h"
#include "tests/gpu/own_device.h"

namespace convoy::tests {
namespace {

constexpr int kWarmUps = 5;
constexpr int kCalls = 20;
constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kMost = 256 * kMiB;

comm::Buffer front(const comm::nccl::DeviceMemory& memory, std::size_t bytes) {
  comm::Buffer values({memory.get(), bytes}, comm::DType::kFloat32);
  values.device = comm::Device::kCuda;
  return values;
}

void call(comm::Communicator& world, const comm::Buffer& values, int times) {
  std::vector<comm::Request> requests;
  for (int i = 0; i < times; ++i) requests.push_back(world.all_reduce(values));
  for (comm::Request& request : requests) request.wait();
}

/// So that a fast run of nothing is no result.
void check_sum(comm::Communicator& world, const comm::nccl::DeviceMemory& memory) {
  constexpr std::size_t kNumel = 1000;
  std::vector<float> host(kNumel, static_cast<float>(world.rank() + 1));
  const std::size_t bytes = kNumel * sizeof(float);
  comm::nccl::check_cuda(cudaMemcpy(memory.get(), host.data(), bytes, cudaMemcpyHostToDevice),
                         "cudaMemcpy");
  world.all_reduce(front(memory, bytes)).wait();
  comm::nccl::check_cuda(cudaMemcpy(host.data(), memory.get(), bytes, cudaMemcpyDeviceToHost),
                         "cudaMemcpy");
  const auto ranks = static_cast<float>(world.size());
  const std::vector<float> expected(kNumel, ranks * (ranks + 1) / 2);
  if (host != expected) throw std::runtime_error("all_reduce gives a wrong sum");
}

void report(int ranks, std::size_t bytes, double seconds) {
  const double n = ranks;
  const double algorithm = static_cast<double>(bytes) / seconds * 1e-9;
  const nlohmann::ordered_json line{{"ranks", ranks},
                                    {"bytes", bytes},
                                    {"seconds", seconds},
                                    {"algbw_gb_per_s", algorithm},
                                    {"busbw_gb_per_s", algorithm * 2.0 * (n - 1.0) / n}};
  std::puts(line.dump().c_str());
  std::fflush(stdout);
}

void measure(comm::Communicator& bootstrap) {
  take_own_device(bootstrap);
  const auto world = comm::nccl::make(bootstrap);
  const comm::nccl::DeviceMemory memory = comm::nccl::make_device_memory(kMost);
  check_sum(*world, memory);
  // Zeros: sums of sums would overflow.
  comm::nccl::check_cuda(cudaMemset(memory.get(), 0, kMost), "cudaMemset");
  for (std::size_t bytes = kMiB; bytes <= kMost; bytes *= 2) {
    const comm::Buffer values = front(memory, bytes);
    call(*world, values, kWarmUps);
    const double seconds = bench::time_slowest(*world, [&] { call(*world, values, kCalls); });
    if (world->rank() == 0) report(world->size(), bytes, seconds / kCalls);
  }
}

}  // namespace
}  // namespace convoy::tests

int main() {
  convoy::comm::mpi::Environment environment;
  try {
    const auto world = environment.world();
    convoy::tests::measure(*world);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_all_reduce_speed, rank %d: %s\n", environment.rank(), error.what());
    environment.abort(1);
  }
}
