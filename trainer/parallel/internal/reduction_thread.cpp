// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/reduction_thread.h"

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

void ReductionThread::begin_step(std::int64_t step) { queue({Task::Kind::kBegin, step, nullptr}); }

void ReductionThread::submit(const compress::Bucket& bucket) {
  queue({Task::Kind::kReduce, 0, &bucket});
}

void ReductionThread::finish_step() { queue({Task::Kind::kEnd, 0, nullptr}); }

void ReductionThread::queue(Task task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(task);
  }
  changed_.notify_all();
}

void ReductionThread::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return error_ != nullptr || done_ == tasks_.size(); });
  if (error_ != nullptr) std::rethrow_exception(error_);
  tasks_.clear();
  done_ = 0;
}

void ReductionThread::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return done_ < tasks_.size(); }) &&
         !stop.stop_requested()) {
    const Task task = tasks_[done_];
    lock.unlock();
    std::exception_ptr error;
    try {
      execute(task);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    ++done_;
    error_ = error;
    changed_.notify_all();
    if (error != nullptr) return;
  }
}

void ReductionThread::execute(const Task& task) {
  switch (task.kind) {
    case Task::Kind::kBegin:
      finite_.begin_step();
      return reducer_->begin_step(task.step);
    case Task::Kind::kReduce:
      return reduce(*task.bucket);
    case Task::Kind::kEnd:
      return end_step();
  }
}

void ReductionThread::reduce(const compress::Bucket& bucket) {
  finite_.look_at(bucket);
  reducer_->reduce(bucket);
  finite_.look_at_average(bucket);
}

void ReductionThread::end_step() {
  reducer_->end_step();
  // Equal on all ranks: either all ask or none.
  const bool ask = !reducer_->shows_nonfinite() || !finite_.average_is_finite();
  nonfinite_ = ask ? finite_.agree(communicator_) : std::nullopt;
  if (nonfinite_) reducer_->discard_step();
}

}  // namespace convoy::trainer::internal
