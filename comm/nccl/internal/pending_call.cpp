// SPDX-License-Identifier: Apache-2.0
#include "comm/nccl/internal/pending_call.h"

#include <exception>
#include <utility>

#include "base/errors.h"
#include "comm/nccl/internal/check.h"

namespace convoy::comm::nccl {

DeviceCall::DeviceCall(const internal::Call& made, Connection& connection, cudaStream_t caller,
                       Launch launch)
    : PendingCall(made),
      connection_(connection),
      launch_(std::move(launch)),
      ready_(make_event()),
      done_(make_event()) {
  check_cuda(cudaEventRecord(ready_.get(), caller), "cudaEventRecord");
}

void DeviceCall::begin() {
  check_cuda(cudaStreamWaitEvent(connection_.stream(), ready_.get(), 0), "cudaStreamWaitEvent");
  // Whoever sends nothing to all may still receive.
  if (call.numel > 0 || call.kind == internal::Kind::kAllToAll) launch_(connection_);
}

// What NCCL has not taken yet stands on no stream: recorded now, the event would come before it.
bool DeviceCall::has_begun() {
  if (connection_.in_progress()) return false;
  check_cuda(cudaEventRecord(done_.get(), connection_.stream()), "cudaEventRecord");
  return true;
}

void HostCall::begin() {
  if (internal::is_collective(call.kind)) host_.set_context(call.context);
  request_ = start_(host_);
}

void HostCall::drop() noexcept { drop_request(request_); }

void drop_request(Request& request) noexcept {
  try {
    static_cast<void>(request.test());
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): it has failed, as it should
  }
}

}  // namespace convoy::comm::nccl
