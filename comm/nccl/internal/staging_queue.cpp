// SPDX-License-Identifier: Apache-2.0
#include "comm/nccl/internal/staging_queue.h"

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

// A device does not wake whoever waits for it, and others that wait count on whoever does.
constexpr std::chrono::microseconds kLongestNap{1000};
constexpr std::chrono::microseconds kPollFor{40};  // a short copy takes some 10

}  // namespace

// A request of a call on device memory.
class StagingQueue::RequestHandle final : public internal::Operation {
 public:
  RequestHandle(std::shared_ptr<StagingQueue> queue, CallPtr call)
      : queue_(std::move(queue)), call_(std::move(call)) {}

  bool poll() override { return queue_->poll(*call_); }
  bool wait(std::chrono::milliseconds timeout, const std::function<bool()>& enough,
            std::chrono::microseconds longest_nap) override {
    return queue_->wait(*call_, timeout, enough, longest_nap);
  }
  void abandon() noexcept override { queue_->abandon(*call_); }
  [[nodiscard]] std::chrono::milliseconds default_timeout() const override {
    return queue_->timeout_;
  }

 private:
  std::shared_ptr<StagingQueue> queue_;
  CallPtr call_;
};

// One of a call on host memory: that of the host, and it moves the others on.
class StagingQueue::HostHandle final : public internal::Operation {
 public:
  HostHandle(std::shared_ptr<StagingQueue> queue, Request request)
      : queue_(std::move(queue)), request_(std::move(request)) {}

  bool poll() override {
    queue_->move_on();
    return request_.test();
  }
  bool wait(std::chrono::milliseconds timeout, const std::function<bool()>& enough,
            std::chrono::microseconds longest_nap) override {
    return request_.wait_or(
        [&] {
          queue_->move_on();
          return enough && enough();
        },
        std::min(longest_nap, kLongestNap), timeout);
  }
  // Dropping the request of the host does what is to be done.
  void abandon() noexcept override {
    if (std::uncaught_exceptions() > 0) return;
    try {
      wait(default_timeout(), nullptr, kAnyNap);
    } catch (const std::exception& error) {
      logger("comm")->error("a request that nobody waited for failed: {}", error.what());
    }
  }
  [[nodiscard]] std::chrono::milliseconds default_timeout() const override {
    return queue_->timeout_;
  }

 private:
  std::shared_ptr<StagingQueue> queue_;
  Request request_;
};

StagingQueue::StagingQueue(Communicator& host, std::shared_ptr<StagingDevice> device)
    : host_(&host),
      device_(std::move(device)),
      rank_(host.rank()),
      size_(host.size()),
      timeout_(host.options().timeout) {}

bool StagingQueue::poisoned() const {
  if (poisoned_) return true;
  const std::lock_guard lock(mutex_);
  return host_ != nullptr && host_->poisoned();
}

std::uint64_t StagingQueue::bytes_sent() const {
  const std::lock_guard lock(mutex_);
  return host_ == nullptr ? bytes_sent_ : host_->bytes_sent();
}

void StagingQueue::wake() {
  {
    const std::lock_guard lock(mutex_);
    if (host_ != nullptr) host_->wake();
  }
  wakeup_.signal();
}

void StagingQueue::set_context(std::uint32_t context) {
  const std::lock_guard lock(mutex_);
  context_ = context;
  if (host_ != nullptr) host_->set_context(context);
}

std::uint64_t StagingQueue::reserve(int count, PlaceFor what) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t first = host_->reserve(count, what);
  places_.add(first, count, what);
  return first;
}

std::string StagingQueue::describe(const internal::Call& call) const {
  return internal::describe(call, rank_, size_);
}

void StagingQueue::check_open(const internal::Call& call) const {
  if (!poisoned_) return;
  throw CommError(describe(call) + ": not started, the communicator is poisoned: " + poison_);
}

// At once, and not when the call goes to the host: other ranks have the order of the calls.
Turn StagingQueue::place(internal::Call& call, Turn turn) {
  const auto what =
      call.kind == internal::Kind::kAllReduce ? PlaceFor::kAllReduce : PlaceFor::kOther;
  call.context = context_.value_or(0);
  call.sequence = turn.place;
  if (turn.place == 0) {
    call.sequence = host_->reserve(1, what);
  } else if (places_.take(turn.place, what) == 0) {
    throw ContractError(
        fmt::format("{}: place {} is not reserved for it", describe(call), turn.place));
  }
  turn.place = call.sequence;
  return turn;
}

StagingQueue::OperationPtr StagingQueue::start(internal::Call call, Turn turn,
                                               std::vector<std::shared_ptr<void>> owners,
                                               const Plan& plan) {
  const std::lock_guard lock(mutex_);
  check_open(call);
  turn = place(call, turn);
  try {
    const DeviceGuard guard(device_->device);
    StagedPlan made = plan(turn);
    // The context is that of the call, whatever it is when it goes to the host.
    made.start = [this, start = std::move(made.start), context = context_](Communicator& host) {
      if (context) host.set_context(*context);
      Request request = start(host);
      if (context_) host.set_context(*context_);
      return request;
    };
    return begin(call, std::move(owners), std::move(made), {});
  } catch (const internal::TransportError& error) {  // of CUDA: the device is lost
    poison(describe(call) + ": " + error.what());
    throw CommError(poison_);
  }
}

StagingQueue::OperationPtr StagingQueue::start_message(internal::Call call, int peer, int tag,
                                                       std::shared_ptr<void> owner, bool is_host,
                                                       const std::function<StagedPlan()>& plan) {
  const std::lock_guard lock(mutex_);
  check_open(call);
  SendTurns& turns = call.kind == internal::Kind::kSend ? sends_ : receives_;
  call.sequence = ++messages_;
  if (is_host && turns.is_free(peer, tag)) return hand_on(plan().start);
  try {
    const DeviceGuard guard(device_->device);
    StagedPlan made = plan();
    return begin(call, {std::move(owner)}, std::move(made), turns.take(peer, tag));
  } catch (const internal::TransportError& error) {
    poison(describe(call) + ": " + error.what());
    throw CommError(poison_);
  }
}

StagingQueue::OperationPtr StagingQueue::begin(const internal::Call& call,
                                               std::vector<std::shared_ptr<void>> owners,
                                               StagedPlan plan, std::optional<SendTurn> turn) {
  if (host_->poisoned()) static_cast<void>(plan.start(*host_));  // it says why
  const auto pending = std::make_shared<StagedCall>(call, device_->copies, device_->caller, *host_,
                                                    std::move(plan), std::move(turn));
  for (auto& owner : owners) pending->keep(std::move(owner));
  active_.push_back(pending);
  under_way_ = active_.size();
  pending->state = PendingCall::State::kUnderWay;
  attempt(*pending, [&] { pending->begin(); });
  progress();
  return std::make_unique<RequestHandle>(shared_from_this(), pending);
}

StagingQueue::OperationPtr StagingQueue::start_on_host(const internal::Call& call,
                                                       const HostCall::Start& start, Turn turn) {
  const std::lock_guard lock(mutex_);
  check_open(call);
  places_.forget(turn.place);
  return hand_on(start);
}

StagingQueue::OperationPtr StagingQueue::hand_on(const HostCall::Start& start) {
  Request request = start(*host_);
  if (!request.pending()) return nullptr;
  return std::make_unique<HostHandle>(shared_from_this(), std::move(request));
}

bool StagingQueue::is_over(const StagedCall& call) {
  if (call.state == PendingCall::State::kFailed) {
    if (call.failed_by_peer) throw internal::PeerLeftError(call.failure);
    throw CommError(call.failure);
  }
  return call.state == PendingCall::State::kDone;
}

bool StagingQueue::poll(StagedCall& call) {
  move_on();
  const std::lock_guard lock(mutex_);
  return is_over(call);
}

void StagingQueue::move_on() {
  if (under_way_ == 0) return;
  const std::lock_guard lock(mutex_);
  if (active_.empty()) return;
  const CallPtr oldest = active_.front();
  attempt(*oldest, [&] {
    const DeviceGuard guard(device_->device);
    progress();
  });
}

void StagingQueue::progress() {
  const auto calls = active_;  // a failure empties it
  for (const CallPtr& call : calls) {
    if (!call->is_active()) continue;
    attempt(*call, [&] {
      if (call->is_over()) call->state = PendingCall::State::kDone;
    });
  }
  if (std::erase_if(active_, [](const CallPtr& call) { return !call->is_active(); }) == 0) return;
  under_way_ = active_.size();
  wakeup_.signal();
}

bool StagingQueue::wait(StagedCall& call, std::chrono::milliseconds timeout,
                        const std::function<bool()>& enough,
                        std::chrono::microseconds longest_nap) {
  const auto start = Clock::now();
  const auto longest = std::min(kLongestNap, longest_nap);
  for (;;) {
    const std::uint64_t ticket = wakeup_.ticket();
    const auto waited = std::chrono::floor<std::chrono::microseconds>(Clock::now() - start);
    if (poll(call)) return true;
    if (enough && enough()) return false;
    if (Request* request = lend(call)) {
      wait_on_host(call, *request, start + timeout, enough, longest);
      continue;
    }
    if (waited >= timeout) {
      const std::lock_guard lock(mutex_);
      fail(call,
           fmt::format("{}: {} within {:.1f} s", describe(call.call), call.whom_it_waits_for(),
                       static_cast<double>(timeout.count()) / 1000.0),
           false);
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

Request* StagingQueue::lend(StagedCall& call) {
  const std::lock_guard lock(mutex_);
  return call.is_active() ? call.lend() : nullptr;
}

// The host knows how to wait for its ranks, and who is late.
void StagingQueue::wait_on_host(StagedCall& call, Request& request, Clock::time_point deadline,
                                const std::function<bool()>& enough,
                                std::chrono::microseconds longest_nap) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  const auto stop = [&] {
    move_on();
    {
      const std::lock_guard lock(mutex_);
      if (!call.is_active()) return true;
    }
    return enough && enough();
  };
  std::exception_ptr failure;
  try {
    static_cast<void>(
        request.wait_or(stop, longest_nap, std::max(left, std::chrono::milliseconds(0))));
  } catch (const std::exception&) {
    failure = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  call.take_back();
  if (!call.is_active()) return call.drop();
  if (failure) attempt(call, [&] { std::rethrow_exception(failure); });
}

template <typename Step>
void StagingQueue::attempt(StagedCall& call, const Step& step) {
  try {
    step();
  } catch (const internal::TransportError& error) {
    fail(call, describe(call.call) + ": " + error.what(), error.peer_left());
  } catch (const internal::PeerLeftError& error) {
    fail(call, error.what(), true);  // of the host: it names the operation itself
  } catch (const std::exception& error) {
    fail(call, error.what(), false);
  }
}

void StagingQueue::hand_over() {
  const auto have_left = [&] {
    move_on();
    const std::lock_guard lock(mutex_);
    return std::ranges::all_of(active_, [](const CallPtr& call) { return call->has_left(); });
  };
  const auto start = Clock::now();
  while (!have_left()) {
    if (Clock::now() - start >= timeout_) {
      const std::lock_guard lock(mutex_);
      if (active_.empty()) break;
      const auto& oldest = *active_.front();
      poison(describe(oldest.call) + ": " + oldest.whom_it_waits_for());
      break;
    }
    wakeup_.wait(wakeup_.ticket(), kPollFor);
  }
  const std::lock_guard lock(mutex_);
  if (poisoned_) throw CommError("split: not started, the communicator is poisoned: " + poison_);
}

}  // namespace convoy::comm::nccl
