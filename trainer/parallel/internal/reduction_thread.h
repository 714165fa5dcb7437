// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "comm/communicator.h"
#include "compress/reduce/reducer.h"
#include "trainer/parallel/internal/finite_check.h"

namespace convoy::trainer::internal {

/// Runs a Reducer in a thread of its own, one bucket after the other in the order of submit().
/// After the first error nothing more is reduced, and wait() throws that error, now and ever after.
/// A step in which some rank's gradients are not finite leaves the Reducer's state as it was.
class ReductionThread {
 public:
  /// Borrows `communicator`, on which `reducer` works.
  ReductionThread(comm::Communicator& communicator, std::unique_ptr<compress::Reducer> reducer);
  /// Drops what has not begun and waits for what has: at most the communicator's timeout.
  ~ReductionThread();
  ReductionThread(const ReductionThread&) = delete;
  ReductionThread& operator=(const ReductionThread&) = delete;

  /// One step is begin_step(), submit() for each bucket, finish_step(): these three only queue.
  void begin_step(std::int64_t step);
  /// `bucket` must stay where it is until wait() returns.
  void submit(const compress::Bucket& bucket);
  void finish_step();
  /// Returns when all that was queued is done. @throws what the Reducer threw.
  void wait();

  /// Of the last step that was waited for.
  [[nodiscard]] const std::optional<NonFinite>& nonfinite() const { return nonfinite_; }
  /// Only while nothing is queued.
  [[nodiscard]] compress::Reducer& reducer() { return *reducer_; }
  [[nodiscard]] const compress::Reducer& reducer() const { return *reducer_; }

 private:
  struct Task {
    enum class Kind : std::uint8_t { kBegin, kReduce, kEnd } kind;
    std::int64_t step = 0;
    const compress::Bucket* bucket = nullptr;
  };

  void queue(Task task);
  void run(const std::stop_token& stop);
  void execute(const Task& task);
  void reduce(const compress::Bucket& bucket);
  void end_step();

  comm::Communicator& communicator_;
  std::unique_ptr<compress::Reducer> reducer_;
  // The thread's own while tasks are queued.
  FiniteCheck finite_;
  std::optional<NonFinite> nonfinite_;
  std::mutex mutex_;  // guards all below
  std::condition_variable_any changed_;
  std::vector<Task> tasks_;  // of this step; emptied, and its memory kept, by wait()
  std::size_t done_ = 0;     // how many of them are
  std::exception_ptr error_;
  std::jthread thread_;  // last: starts when the rest exists
};

}  // namespace convoy::trainer::internal
