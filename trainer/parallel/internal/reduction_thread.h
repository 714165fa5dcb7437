// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
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

/// Runs a Reducer in a thread of its own. Buckets begin in the order of submit(); several are under
/// way at a time, one in the codec while others are on the wire, and the more urgent ones end
/// first. After the first error nothing more is reduced, and wait() throws that error, now and ever
/// after. A step in which some rank's gradients are not finite leaves the Reducer's state as it
/// was.
class ReductionThread {
 public:
  /// Borrows `communicator`, on which `reducer` works. @param device  of buckets on devices.
  ReductionThread(comm::Communicator& communicator, std::unique_ptr<compress::Reducer> reducer,
                  torch::Device device);
  /// Drops what has not begun and waits for what has: at most the communicator's timeout.
  ~ReductionThread();
  ReductionThread(const ReductionThread&) = delete;
  ReductionThread& operator=(const ReductionThread&) = delete;

  /// One step is begin_step(), submit() for each bucket, finish_step(): these three only queue.
  void begin_step(std::int64_t step);
  /// `bucket` must stay where it is until wait() returns. The lower `priority`, the sooner its
  /// average is needed. @return a ticket for wait().
  std::size_t submit(const compress::Bucket& bucket, int priority);
  void finish_step();
  /// Returns when the average of this bucket is there. @throws what the Reducer threw.
  void wait(std::size_t ticket);
  /// Returns when all that was queued is done; tickets are then used up. @throws as above.
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
    int priority = 0;
    bool done = false;
  };
  struct Transfer {
    std::size_t ticket = 0;
    const compress::Bucket* bucket = nullptr;
    int priority = 0;
    compress::Reduction reduction;
  };

  std::size_t queue(const Task& task);
  // All below run in the thread.
  void run(const std::stop_token& stop);
  [[nodiscard]] std::optional<std::size_t> next_task(const std::stop_token& stop);
  void begin(std::size_t ticket);
  void begin_bucket(std::size_t ticket, const Task& task);
  void move_on(const std::stop_token& stop);
  bool advance_one();
  [[nodiscard]] bool another_can_advance();
  void wait_for_something(const std::stop_token& stop);
  void end_step();
  void mark_done(std::size_t ticket);
  void drop() noexcept;
  /// Nobody is to wait for this rank any more.
  void give_up() noexcept;
  void fail(std::exception_ptr error);

  comm::Communicator& communicator_;
  std::unique_ptr<compress::Reducer> reducer_;
  torch::Device device_;
  // The thread's own while tasks are queued.
  FiniteCheck finite_;
  std::optional<NonFinite> nonfinite_;
  std::vector<Transfer> under_way_;  // the most urgent first
  std::mutex mutex_;                 // guards all below
  std::condition_variable_any changed_;
  std::vector<Task> tasks_;   // of this step; emptied, and its memory kept, by wait()
  std::size_t begun_ = 0;     // how many of them have begun
  std::size_t done_ = 0;      // and how many are over
  bool in_transfer_ = false;  // the thread waits for the communicator and not for `changed_`
  std::exception_ptr error_;
  std::jthread thread_;  // last: starts when the rest exists
};

}  // namespace convoy::trainer::internal
