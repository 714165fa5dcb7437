// SPDX-License-Identifier: Apache-2.0
// What a queue does and says when a call has failed.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "comm/nccl/internal/call_queue.h"

namespace convoy::comm::nccl {

void CallQueue::fail(PendingCall& call, const std::string& text, bool by_peer) {
  if (!call.is_active()) return;
  if (!poisoned_) log_last_calls(call);
  call.state = PendingCall::State::kFailed;
  call.failure = text;
  call.failed_by_peer = by_peer;
  poison(text);
}

void CallQueue::give_up(const std::string& why) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    poison(why);
  } catch (const std::exception& error) {
    logger("comm")->error("giving up a communicator failed: {}", error.what());
  }
}

void CallQueue::poison(const std::string& why) {
  if (poisoned_) return;
  poison_ = why;
  poisoned_ = true;
  // First the host side, so that peers learn of it where it can tell them.
  bytes_sent_ += host_.data->bytes_sent();
  host_.data->give_up(why);
  host_.splits->give_up(why);
  if (marks_ != nullptr) marks_->give_up(why);
  host_ = {};
  marks_.reset();
  const bool at_rest = connection_->abort();
  for (const CallPtr& call : active_) {
    call->drop();
    if (!call->is_active()) continue;
    call->state = PendingCall::State::kFailed;
    call->failure = describe(call->call) + ": the communicator is poisoned: " + why;
  }
  waiting_.clear();
  beginning_ = nullptr;
  auto calls = std::exchange(active_, {});
  if (!at_rest) {
    logger("comm")->error("the device does not come to rest after {}: buffers are kept", why);
    static_cast<void>(new std::vector<CallPtr>(std::move(calls)));
    static_cast<void>(new std::shared_ptr<CallQueue>(shared_from_this()));
  }
  wakeup_.signal();
}

std::string CallQueue::describe_delay(const PendingCall& call,
                                      std::chrono::milliseconds waited) const {
  const std::string within =
      fmt::format(" within {:.1f} s", static_cast<double>(waited.count()) / 1000.0);
  const std::uint64_t place = call.call.sequence;
  if (call.state != PendingCall::State::kWaiting) {
    const bool nccl_knows = call.on_device();
    return call.whom_it_waits_for() + within +
           (nccl_knows ? " (NCCL does not tell which rank is late)" : "");
  }
  if (marks_ != nullptr) {
    const auto late = marks_->absent(next_);
    if (!late.empty()) return fmt::format("rank {} has not come{}", late.front(), within);
  }
  if (next_ < place && !waiting_.contains(next_) && beginning_ == nullptr) {
    return fmt::format("not begun{}: place {} before it has not been called", within, next_);
  }
  return "not begun" + within + ": others before it are under way";
}

void CallQueue::log_last_calls(const PendingCall& failed) const {
  const auto log = logger("comm");
  const int ranks = connection_->size();
  log->error("rank {}/{} has failed; its last calls: {}", connection_->rank(), ranks,
             history_.report(Clock::now(), [&](const internal::Call& call) {
               return std::ranges::any_of(active_, [&](const CallPtr& other) {
                 return other->call.kind == call.kind && other->call.sequence == call.sequence;
               });
             }));
  if (marks_ == nullptr || !internal::is_collective(failed.call.kind)) return;
  const std::uint64_t place = held_back_by(failed);
  for (const int rank : marks_->absent(place)) {
    const std::uint64_t heard = marks_->heard_in(rank);
    log->error("nothing heard of rank {} in {}; last heard of in {}", rank,
               history_.collective(place),
               heard == 0 ? "no call at all" : history_.collective(heard));
  }
}

std::uint64_t CallQueue::held_back_by(const PendingCall& call) const {
  return call.state == PendingCall::State::kWaiting ? next_ : call.call.sequence;
}

}  // namespace convoy::comm::nccl
