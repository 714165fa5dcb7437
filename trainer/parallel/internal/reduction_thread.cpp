// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/reduction_thread.h"

#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "base/errors.h"

namespace convoy::trainer::internal {
namespace {

// Where averages travel over several links only one of them wakes, and no new bucket: all else is
// late by this at most.
constexpr std::chrono::milliseconds kLookEvery{1};

/// Does something at the end of a block that an exception leaves.
template <typename Action>
class OnException {
 public:
  explicit OnException(Action action) : action_(std::move(action)) {}
  ~OnException() {
    if (std::uncaught_exceptions() > before_) action_();
  }
  OnException(const OnException&) = delete;
  OnException& operator=(const OnException&) = delete;

 private:
  Action action_;
  int before_ = std::uncaught_exceptions();
};

}  // namespace

ReductionThread::ReductionThread(comm::Communicator& communicator,
                                 std::unique_ptr<compress::Reducer> reducer, torch::Device device)
    : communicator_(communicator),
      reducer_(std::move(reducer)),
      device_(device),
      finite_(device),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

ReductionThread::~ReductionThread() {
  thread_.request_stop();
  thread_.join();
}

void ReductionThread::begin_step(std::int64_t step) {
  queue({.kind = Task::Kind::kBegin, .step = step});
}

std::size_t ReductionThread::submit(const compress::Bucket& bucket, int priority) {
  return queue({.kind = Task::Kind::kReduce, .bucket = &bucket, .priority = priority});
}

void ReductionThread::finish_step() { queue({.kind = Task::Kind::kEnd}); }

std::size_t ReductionThread::queue(const Task& task) {
  std::size_t ticket = 0;
  bool in_transfer = false;
  {
    const std::lock_guard lock(mutex_);
    ticket = tasks_.size();
    tasks_.push_back(task);
    in_transfer = in_transfer_;
  }
  changed_.notify_all();
  if (in_transfer) communicator_.wake();
  return ticket;
}

void ReductionThread::wait(std::size_t ticket) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return error_ != nullptr || tasks_[ticket].done; });
  if (!tasks_[ticket].done) std::rethrow_exception(error_);
}

void ReductionThread::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return error_ != nullptr || done_ == tasks_.size(); });
  if (error_ != nullptr) std::rethrow_exception(error_);
  tasks_.clear();
  begun_ = 0;
  done_ = 0;
}

void ReductionThread::run(const std::stop_token& stop) {
  try {
    // Device 0, where threads begin, may be another rank's.
    std::optional<c10::DeviceGuard> guard;
    if (!device_.is_cpu()) guard.emplace(device_);
    // Requests that an exception drops wait for nobody, and peers learn at once.
    const OnException drop_all([this] { drop(); });
    for (;;) {
      if (const auto ticket = next_task(stop)) {
        begin(*ticket);
      } else if (!under_way_.empty()) {
        move_on(stop);
      } else {
        return;
      }
    }
  } catch (const ConfigError&) {
    fail(std::current_exception());  // all ranks have it in common, and end in peace
  } catch (...) {
    give_up();
    fail(std::current_exception());
  }
}

// What is queued begins at once; without that, sleeps only where nothing is under way.
std::optional<std::size_t> ReductionThread::next_task(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto is_queued = [this] { return begun_ < tasks_.size(); };
  if (under_way_.empty()) changed_.wait(lock, stop, is_queued);
  if (stop.stop_requested() || !is_queued()) return std::nullopt;
  return begun_++;
}

void ReductionThread::begin(std::size_t ticket) {
  const Task task = [&] {
    const std::lock_guard lock(mutex_);
    return tasks_[ticket];
  }();
  switch (task.kind) {
    case Task::Kind::kBegin:
      finite_.begin_step();
      reducer_->begin_step(task.step);
      return mark_done(ticket);
    case Task::Kind::kReduce:
      return begin_bucket(ticket, task);
    case Task::Kind::kEnd:
      end_step();
      return mark_done(ticket);
  }
}

void ReductionThread::begin_bucket(std::size_t ticket, const Task& task) {
  finite_.look_at(*task.bucket);
  const auto at = std::ranges::upper_bound(under_way_, task.priority, {}, &Transfer::priority);
  under_way_.insert(
      at, {ticket, task.bucket, task.priority, reducer_->start(*task.bucket, task.priority)});
}

// Where nothing can be moved on, waits until that changes or another bucket has been queued.
void ReductionThread::move_on(const std::stop_token& stop) {
  if (!advance_one()) wait_for_something(stop);
}

// Of those that have got what they waited for, the most urgent one. One at a time: what has been
// queued meanwhile begins first, because the wire may be idle.
bool ReductionThread::advance_one() {
  const auto one = std::ranges::find_if(under_way_, [](const Transfer& transfer) {
    return transfer.reduction.done() || transfer.reduction.request().test();
  });
  if (one == under_way_.end()) return false;
  if (!one->reduction.advance()) return true;
  finite_.look_at_average(*one->bucket, one->ticket);
  mark_done(one->ticket);
  under_way_.erase(one);
  return true;
}

bool ReductionThread::another_can_advance() {
  return std::any_of(under_way_.begin() + 1, under_way_.end(),
                     [](const Transfer& transfer) { return transfer.reduction.request().test(); });
}

void ReductionThread::wait_for_something(const std::stop_token& stop) {
  const auto enough = [&] {
    if (another_can_advance()) return true;
    const std::lock_guard lock(mutex_);
    return begun_ < tasks_.size() && !stop.stop_requested();
  };
  const auto set_in_transfer = [this](bool value) {
    const std::lock_guard lock(mutex_);
    in_transfer_ = value;
  };
  set_in_transfer(true);
  const auto nap = reducer_->uses_several_links() ? kLookEvery : comm::kAnyNap;
  (void)under_way_.front().reduction.request().wait_or(enough, nap);
  set_in_transfer(false);
}

void ReductionThread::end_step() {
  // Where the averages do not show what has gone wrong, all ranks ask; else all of them or none.
  std::optional<comm::Request> asked;
  if (!reducer_->shows_nonfinite()) asked = finite_.ask(communicator_);
  while (!under_way_.empty()) move_on({});
  if (asked) asked->wait();
  reducer_->end_step();
  if (!asked && !finite_.average_is_finite()) asked = finite_.ask(communicator_);
  nonfinite_.reset();
  if (asked) nonfinite_ = finite_.answer(communicator_, std::move(*asked));
  if (nonfinite_) reducer_->discard_step();
}

void ReductionThread::mark_done(std::size_t ticket) {
  {
    const std::lock_guard lock(mutex_);
    tasks_[ticket].done = true;
    ++done_;
  }
  changed_.notify_all();
}

void ReductionThread::fail(std::exception_ptr error) {
  {
    const std::lock_guard lock(mutex_);
    error_ = std::move(error);
  }
  changed_.notify_all();
}

void ReductionThread::drop() noexcept {
  under_way_.clear();
  reducer_->drop();
}

void ReductionThread::give_up() noexcept {
  const std::string why = "this rank failed while it averaged gradients";
  communicator_.give_up(why);
  reducer_->give_up(why);
}

}  // namespace convoy::trainer::internal
