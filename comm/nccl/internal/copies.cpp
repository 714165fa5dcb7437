// SPDX-License-Identifier: Apache-2.0
#include "comm/nccl/internal/copies.h"

#include <algorithm>

#include "comm/nccl/internal/check.h"

namespace convoy::comm::nccl {

void Copies::start(const std::vector<Copy>& copies, const Event& ready, const Event& done) const {
  const bool to_device = std::ranges::any_of(
      copies, [](const Copy& copy) { return copy.kind == cudaMemcpyHostToDevice; });
  const cudaStream_t stream = to_device ? to_device_.get() : to_host_.get();
  check_cuda(cudaStreamWaitEvent(stream, ready.get(), 0), "cudaStreamWaitEvent");
  for (const Copy& copy : copies) {
    if (copy.bytes == 0) continue;
    check_cuda(cudaMemcpyAsync(copy.to, copy.from, copy.bytes, copy.kind, stream),
               "cudaMemcpyAsync");
  }
  check_cuda(cudaEventRecord(done.get(), stream), "cudaEventRecord");
}

bool Copies::at_rest() const { return is_idle(to_host_) && is_idle(to_device_); }

}  // namespace convoy::comm::nccl
