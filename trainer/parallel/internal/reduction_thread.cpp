// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/reduction_thread.h"

#include <algorithm>
#include <utility>

namespace convoy::trainer::internal {

ReductionThread::ReductionThread(comm::Communicator& communicator,
                                 std::unique_ptr<compress::Reducer> reducer)
    : communicator_(communicator),
      reducer_(std::move(reducer)),
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
    for (;;) {
      if (const auto ticket = next_task(stop)) {
        begin(*ticket);
      } else if (!under_way_.empty()) {
        move_on(stop);
      } else {
        return;
      }
    }
  } catch (...) {
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
      while (!under_way_.empty()) move_on({});
      end_step();
      return mark_done(ticket);
  }
}

void ReductionThread::begin_bucket(std::size_t ticket, const Task& task) {
  finite_.look_at(*task.bucket);
  if (auto request = reducer_->start(*task.bucket, task.priority)) {
    const auto at = std::ranges::upper_bound(under_way_, task.priority, {}, &Transfer::priority);
    under_way_.insert(at, {ticket, task.bucket, task.priority, std::move(*request)});
    return;
  }
  reducer_->reduce(*task.bucket);
  finite_.look_at_average(*task.bucket);
  mark_done(ticket);
}

// Ends what is done, the most urgent first; where nothing is, waits until that changes or another
// bucket has been queued.
void ReductionThread::move_on(const std::stop_token& stop) {
  if (finish_one()) return;
  const auto is_queued = [&] {
    const std::lock_guard lock(mutex_);
    return begun_ < tasks_.size() && !stop.stop_requested();
  };
  const auto set_in_transfer = [this](bool value) {
    const std::lock_guard lock(mutex_);
    in_transfer_ = value;
  };
  set_in_transfer(true);
  (void)under_way_.front().request.wait_or(is_queued);
  set_in_transfer(false);
}

bool ReductionThread::finish_one() {
  const auto done =
      std::ranges::find_if(under_way_, [](Transfer& transfer) { return transfer.request.test(); });
  if (done == under_way_.end()) return false;
  reducer_->finish(*done->bucket);
  finite_.look_at_average(*done->bucket);
  mark_done(done->ticket);
  under_way_.erase(done);
  return true;
}

void ReductionThread::end_step() {
  reducer_->end_step();
  // Equal on all ranks: either all ask or none.
  const bool ask = !reducer_->shows_nonfinite() || !finite_.average_is_finite();
  nonfinite_ = ask ? finite_.agree(communicator_) : std::nullopt;
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
  // The first failure has been kept; those that it has caused say nothing new.
  for (Transfer& transfer : under_way_) {
    try {
      transfer.request.wait();
    } catch (const std::exception&) {
    }
  }
}

}  // namespace convoy::trainer::internal
