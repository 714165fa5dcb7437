// SPDX-License-Identifier: Apache-2.0
#include "comm/nccl/internal/call_queue.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>

#include "base/errors.h"
#include "base/log.h"
#include "comm/internal/engine.h"
#include "comm/nccl/internal/device.h"

namespace convoy::comm::nccl {
namespace {

// Sizes only where all ranks have the same.
internal::CallMark mark_of(const internal::Call& call) {
  const auto numel = static_cast<std::uint64_t>(call.numel);
  const bool equal_sizes = call.kind != internal::Kind::kAllToAll;
  return {.signature = {call.kind, call.dtype, call.op},
          .context = call.context,
          .sequence = call.sequence,
          .total_bytes = equal_sizes ? numel * element_bytes(call.dtype) : 0};
}

bool is_ordered(const PendingCall& call) { return internal::is_collective(call.call.kind); }

}  // namespace

class CallQueue::RequestHandle final : public internal::Operation {
 public:
  RequestHandle(std::shared_ptr<CallQueue> queue, CallPtr call)
      : queue_(std::move(queue)), call_(std::move(call)) {}

  bool poll() override { return queue_->poll(*call_); }
  bool wait(std::chrono::milliseconds timeout, const std::function<bool()>& enough,
            std::chrono::microseconds longest_nap) override {
    return queue_->wait(*call_, timeout, enough, longest_nap);
  }
  void abandon() noexcept override { queue_->abandon(*call_); }
  [[nodiscard]] std::chrono::milliseconds default_timeout() const override {
    return queue_->options_.timeout;
  }

 private:
  std::shared_ptr<CallQueue> queue_;
  CallPtr call_;
};

CallQueue::CallQueue(std::unique_ptr<Connection> connection, HostSide host,
                     const CommunicatorOptions& options)
    : connection_(std::move(connection)), host_(std::move(host)), options_(options) {
  if (host_.marks != nullptr) marks_ = std::make_unique<Marks>(std::move(host_.marks));
}

std::uint64_t CallQueue::bytes_sent() const {
  const std::lock_guard lock(mutex_);
  return bytes_sent_ + (host_.data == nullptr ? 0 : host_.data->bytes_sent());
}

void CallQueue::set_chunk_bytes(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  options_.chunk_bytes = bytes;
  if (poisoned_) return;
  host_.data->set_chunk_bytes(bytes);
  host_.splits->set_chunk_bytes(bytes);
}

std::uint64_t CallQueue::reserve(int count, PlaceFor what) {
  const std::lock_guard lock(mutex_);
  return places_.reserve(count, what);
}

std::shared_ptr<Communicator> CallQueue::host_for_splits() {
  const std::lock_guard lock(mutex_);
  if (poisoned_) throw CommError("split: not started, the communicator is poisoned: " + poison_);
  return host_.splits;
}

std::string CallQueue::describe(const internal::Call& call) const {
  return internal::describe(call, connection_->rank(), connection_->size());
}

std::unique_ptr<internal::Operation> CallQueue::start(internal::Call call, const Make& make,
                                                      Turn turn) {
  const std::lock_guard lock(mutex_);
  if (poisoned_) {
    throw CommError(describe(call) + ": not started, the communicator is poisoned: " + poison_);
  }
  place(call, turn);
  try {
    const DeviceGuard guard(connection_->device());
    const CallPtr pending = make(*host_.data, send_turns_);
    pending->call = call;
    if (is_ordered(*pending)) waiting_.emplace(call.sequence, pending);
    history_.add(call, Clock::now());
    active_.push_back(pending);
    announce(*pending);
    progress();
    return std::make_unique<RequestHandle>(shared_from_this(), pending);
  } catch (const internal::TransportError& error) {  // of CUDA: the device is lost
    poison(describe(call) + ": " + error.what());
    throw CommError(poison_);
  }
}

void CallQueue::place(internal::Call& call, Turn turn) {
  if (!internal::is_collective(call.kind)) {
    call.sequence = ++user_calls_;
    return;
  }
  const bool is_sum = call.kind == internal::Kind::kAllReduce;
  call.sequence = places_.take(turn.place, is_sum ? PlaceFor::kAllReduce : PlaceFor::kOther);
  call.context = context_;
  if (call.sequence > 0) return;
  throw ContractError(
      fmt::format("{}: place {} is not reserved for it", describe(call), turn.place));
}

bool CallQueue::poll(PendingCall& call) {
  const std::lock_guard lock(mutex_);
  if (is_over(call)) return true;
  attempt(call, [&] {
    const DeviceGuard guard(connection_->device());
    progress();
  });
  return is_over(call);
}

bool CallQueue::is_over(const PendingCall& call) {
  if (call.state == PendingCall::State::kFailed) {
    if (call.failed_by_peer) throw internal::PeerLeftError(call.failure);
    throw CommError(call.failure);
  }
  return call.state == PendingCall::State::kDone;
}

bool CallQueue::wait(PendingCall& call, std::chrono::milliseconds timeout,
                     const std::function<bool()>& enough, std::chrono::microseconds longest_nap) {
  constexpr std::chrono::microseconds kPollFor{40};  // a short collective takes some 20
  constexpr std::chrono::microseconds kLongestNap{1000};
  const auto start = Clock::now();
  const auto longest = std::min(kLongestNap, longest_nap);
  for (;;) {
    const std::uint64_t ticket = wakeup_.ticket();
    const auto waited = std::chrono::floor<std::chrono::microseconds>(Clock::now() - start);
    if (poll(call)) return true;
    if (enough && enough()) return false;
    if (waited >= timeout) {
      const std::lock_guard lock(mutex_);
      fail(call, describe(call.call) + ": " + describe_delay(call, timeout), false);
      continue;  // poll() throws
    }
    if (waited < kPollFor) {
      std::this_thread::yield();
      continue;
    }
    // Whoever sleeps a sixteenth of the time that it has waited is at most so much late.
    wakeup_.wait(ticket, std::min(longest, std::max(kPollFor, waited / 16)));
  }
}

void CallQueue::abandon(PendingCall& call) noexcept {
  try {
    // An exception is on its way out: peers that wait for this rank must not wait for us to wait.
    if (std::uncaught_exceptions() > 0) {
      const std::lock_guard lock(mutex_);
      if (call.is_active()) poison(describe(call.call) + " was dropped by an exception");
      return;
    }
    wait(call, options_.timeout, nullptr, kAnyNap);
  } catch (const std::exception& error) {
    logger("comm")->error("a request that nobody waited for failed: {}", error.what());
  }
}

void CallQueue::close() {
  const std::lock_guard lock(mutex_);
  if (poisoned_) return;
  if (!active_.empty()) {
    return poison("the communicator was destroyed while " + describe(active_.front()->call) +
                  " was under way");
  }
  bytes_sent_ += host_.data->bytes_sent();
  connection_->close();
  marks_.reset();
  host_ = {};
}

template <typename Step>
bool CallQueue::attempt(PendingCall& call, const Step& step) {
  try {
    step();
    return true;
  } catch (const internal::TransportError& error) {
    fail(call, describe(call.call) + ": " + error.what(), error.peer_left());
  } catch (const internal::PeerLeftError& error) {
    fail(call, error.what(), true);  // of the host side: it names the operation itself
  } catch (const CommError& error) {
    fail(call, error.what(), false);
  }
  return false;
}

void CallQueue::progress() {
  compare_marks();
  begin_unordered();
  begin_ordered();
  check_connection();
  advance_all();
  const auto over = [](const CallPtr& call) { return !call->is_active(); };
  if (std::erase_if(active_, over) > 0) wakeup_.signal();
}

void CallQueue::announce(PendingCall& call) {
  if (marks_ == nullptr || !is_ordered(call)) return;
  attempt(call, [&] {
    marks_->announce(mark_of(call.call), call.on_device() ? Device::kCuda : Device::kHost);
  });
}

void CallQueue::compare_marks() {
  if (marks_ == nullptr) return;
  const auto waiting = waiting_;  // a failure empties it
  for (const auto& [place, call] : waiting) {
    if (poisoned_) return;
    attempt(*call, [&, &place = place, &call = call] { call->agreed = marks_->agreed(place); });
  }
}

void CallQueue::begin_unordered() {
  for (std::size_t i = 0; i < active_.size(); ++i) {
    const CallPtr call = active_[i];
    if (is_ordered(*call) || call->state != PendingCall::State::kWaiting) continue;
    call->state = PendingCall::State::kUnderWay;
    attempt(*call, [&] { call->begin(); });
  }
}

void CallQueue::begin_ordered() {
  while (!poisoned_ && last_has_begun()) {
    const auto next = waiting_.find(next_);
    if (next == waiting_.end() || (marks_ != nullptr && !next->second->agreed)) return;
    const CallPtr call = next->second;
    call->state = PendingCall::State::kBeginning;
    if (!attempt(*call, [&] { call->begin(); })) return;
    beginning_ = call;
    waiting_.erase(next_++);
  }
}

bool CallQueue::last_has_begun() {
  if (beginning_ == nullptr) return true;
  const CallPtr call = beginning_;
  bool has_begun = false;
  if (!attempt(*call, [&] { has_begun = call->has_begun(); }) || !has_begun) return false;
  call->state = PendingCall::State::kUnderWay;
  beginning_ = nullptr;
  return true;
}

// Errors of NCCL belong to no call: the oldest one under way names them.
void CallQueue::check_connection() {
  const auto running = std::ranges::find_if(active_, [](const CallPtr& call) {
    return call->on_device() && call->state == PendingCall::State::kUnderWay;
  });
  if (running == active_.end()) return;
  const CallPtr call = *running;
  attempt(*call, [&] { static_cast<void>(connection_->in_progress()); });
}

void CallQueue::advance_all() {
  for (std::size_t i = 0; i < active_.size(); ++i) {
    const CallPtr call = active_[i];
    if (call->state != PendingCall::State::kUnderWay) continue;
    attempt(*call, [&] {
      if (call->is_over()) call->state = PendingCall::State::kDone;
    });
  }
}

}  // namespace convoy::comm::nccl
