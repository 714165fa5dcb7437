// SPDX-License-Identifier: Apache-2.0
#include "tests/gpu/staged_call.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "comm/nccl/internal/check.h"

namespace convoy::tests {

StagedCall::StagedCall(std::shared_ptr<DeviceArena> arena, const comm::nccl::Stream& stream)
    : arena_(std::move(arena)), stream_(&stream) {}

StagedCall::TwinPtr StagedCall::twin_of(const std::byte* host, std::size_t bytes,
                                        std::shared_ptr<void> owner) {
  for (const TwinPtr& twin : twins_) {
    if (host >= twin->host && host + bytes <= twin->host + twin->bytes) return twin;
  }
  auto twin = std::make_shared<Twin>(Twin{host, bytes, arena_->take(bytes), std::move(owner)});
  if (bytes > 0) {
    std::copy_n(host, bytes, twin->piece->pinned);
    comm::nccl::check_cuda(cudaMemcpyAsync(twin->piece->device, twin->piece->pinned, bytes,
                                           cudaMemcpyHostToDevice, stream_->get()),
                           "cudaMemcpyAsync");
  }
  twins_.push_back(twin);
  return twin;
}

comm::ConstBuffer StagedCall::in(comm::ConstBuffer host) {
  const auto twin = twin_of(host.bytes.data(), host.bytes.size(), std::move(host.owner));
  const std::byte* device = twin->piece->device + (host.bytes.data() - twin->host);
  comm::ConstBuffer staged({device, host.bytes.size()}, host.dtype, twin);
  staged.device = comm::Device::kCuda;
  return staged;
}

comm::Buffer StagedCall::in_and_out(comm::Buffer host) {
  const auto twin = twin_of(host.bytes.data(), host.bytes.size(), std::move(host.owner));
  const auto at = static_cast<std::size_t>(host.bytes.data() - twin->host);
  results_.push_back({host.bytes.data(), host.bytes.size(), twin, at});
  comm::Buffer staged({twin->piece->device + at, host.bytes.size()}, host.dtype, twin);
  staged.device = comm::Device::kCuda;
  return staged;
}

void StagedCall::copy_back() {
  const auto results = std::exchange(results_, {});
  for (const auto& [host, bytes, twin, at] : results) {
    if (bytes == 0) continue;
    comm::nccl::check_cuda(cudaMemcpyAsync(twin->piece->pinned + at, twin->piece->device + at,
                                           bytes, cudaMemcpyDeviceToHost, stream_->get()),
                           "cudaMemcpyAsync");
  }
  while (!results.empty() && !comm::nccl::is_idle(*stream_)) {
    std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
  for (const auto& [host, bytes, twin, at] : results) {
    std::copy_n(twin->piece->pinned + at, bytes, host);
  }
}

}  // namespace convoy::tests
