// SPDX-License-Identifier: Apache-2.0
// What a queue does when a call has failed, and at its end.
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "comm/nccl/internal/device.h"
#include "comm/nccl/internal/staging_queue.h"
#include "comm/nccl/internal/wait_until.h"

namespace convoy::comm::nccl {

void StagingQueue::abandon(StagedCall& call) noexcept {
  try {
    // An exception is on its way out: peers that wait for this rank must not wait for us to wait.
    if (std::uncaught_exceptions() > 0) {
      const std::lock_guard lock(mutex_);
      if (call.is_active()) poison(describe(call.call) + " was dropped by an exception");
      return;
    }
    wait(call, timeout_, nullptr, kAnyNap);
  } catch (const std::exception& error) {
    logger("comm")->error("a request that nobody waited for failed: {}", error.what());
  }
}

void StagingQueue::fail(StagedCall& call, const std::string& text, bool by_peer) {
  if (!call.is_active()) return;
  call.state = PendingCall::State::kFailed;
  call.failure = text;
  call.failed_by_peer = by_peer;
  poison(text);
}

void StagingQueue::give_up(const std::string& why) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    if (poisoned_ || host_ == nullptr) return;
    host_->give_up(why);
    if (host_->poisoned()) poison(why);
  } catch (const std::exception& error) {
    logger("comm")->error("giving up a communicator failed: {}", error.what());
  }
}

void StagingQueue::poison(const std::string& why) {
  if (poisoned_) return;
  poison_ = why;
  poisoned_ = true;
  host_->give_up(why);  // first, so that the peers learn of it
  const bool at_rest = come_to_rest();
  auto calls = std::exchange(active_, {});
  under_way_ = 0;
  for (const CallPtr& call : calls) {
    call->drop();
    if (!call->is_active()) continue;
    call->state = PendingCall::State::kFailed;
    call->failure = describe(call->call) + ": the communicator is poisoned: " + why;
  }
  if (!at_rest) {
    logger("comm")->error("the device does not come to rest after {}: buffers are kept", why);
    static_cast<void>(new std::vector<CallPtr>(std::move(calls)));
    static_cast<void>(new std::shared_ptr<StagingQueue>(shared_from_this()));
  }
  wakeup_.signal();
}

bool StagingQueue::come_to_rest() const noexcept {
  try {
    const DeviceGuard guard(device_->device);
    return wait_until([&] { return device_->copies.at_rest(); }, kRest);
  } catch (const std::exception&) {
    return false;  // a device that answers with errors may still write
  }
}

void StagingQueue::close() {
  const std::lock_guard lock(mutex_);
  if (!active_.empty()) {
    poison("the communicator was destroyed while " + describe(active_.front()->call) +
           " was under way");
  }
  bytes_sent_ = host_->bytes_sent();
  host_ = nullptr;
  if (poisoned_) return;
  poison_ = "the communicator was destroyed";
  poisoned_ = true;
}

}  // namespace convoy::comm::nccl
