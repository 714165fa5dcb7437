// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "compress/reduce/reducer.h"
#include "trainer/named_tensor.h"
#include "trainer/parallel/internal/gradient_buckets.h"
#include "trainer/parallel/internal/gradient_hooks.h"
#include "trainer/parallel/internal/reduction_thread.h"

namespace convoy::trainer::internal {

struct ExchangeOptions {
  std::size_t bucket_bytes;
  bool overlap;
  bool find_unused;
};

/// Averages the gradients of one backward pass while it runs. The hooks of trained parameters fill
/// buckets; full ones go, strictly in bucket order, to the communication thread.
///
/// A step is begin_step(), any number of backward passes that only accumulate, then start(),
/// the last backward pass, finish(). After an error only destruction is left.
class GradientExchange {
 public:
  using ReducerPtr = std::unique_ptr<compress::Reducer>;

  /// `reducer` works on `communicator`.
  GradientExchange(std::vector<NamedTensor> parameters,
                   std::unique_ptr<comm::Communicator> communicator, ReducerPtr reducer,
                   const ExchangeOptions& options);

  /// @throws the error of an earlier step, if there was one.
  void rethrow_error() const;
  /// Forgets which parameters backward has reached. Collective until the buckets have their final
  /// order: then rank 0's order of readiness, once seen, is broadcast on `communicator`.
  void begin_step(comm::Communicator& communicator);
  /// From here on hooks fill buckets.
  void start();
  /// Sends what backward did not reach, waits, and puts the averages into the gradients.
  /// @return time spent waiting. @throws CommError.
  std::chrono::nanoseconds finish();
  /// Gives the step up after an exception in backward: the ranks are out of step for good.
  void abandon(std::exception_ptr error);

  /// Names of the parameters that no backward pass of this step has reached on this rank.
  [[nodiscard]] std::vector<std::string> unreached() const;
  /// Where the last step's gradients were not finite.
  [[nodiscard]] const std::optional<NonFinite>& nonfinite() const { return thread_.nonfinite(); }
  /// Only between finish() and start().
  [[nodiscard]] compress::Reducer& reducer() { return thread_.reducer(); }
  /// The number of the next step.
  void set_next_step(std::int64_t step) { step_ = step; }
  /// Of gradients and of planning their compression; between steps.
  [[nodiscard]] std::uint64_t bytes_sent() const;
  [[nodiscard]] std::vector<std::vector<std::string>> layout() const;

 private:
  void on_ready(std::size_t parameter);
  void cut(const std::vector<std::size_t>& order);
  void mark_packed(std::size_t parameter);
  void submit_complete();
  void pack_rest();
  void deliver();
  [[nodiscard]] std::vector<std::uint8_t> reached_by_any();

  std::vector<NamedTensor> parameters_;
  ExchangeOptions options_;
  std::unique_ptr<comm::Communicator> communicator_;
  std::unique_ptr<GradientBuckets> buckets_;
  std::int64_t step_ = 0;      // number of the next step
  bool has_averaged_ = false;  // there was a step since construction
  bool order_is_final_ = false;
  std::exception_ptr error_;  // of an earlier step

  // Backward may fire hooks from one thread per device. Taken before the thread's own lock.
  std::mutex mutex_;
  bool filling_ = false;                  // between start() and finish()
  std::vector<std::uint8_t> reached_;     // by parameter: in this step
  std::vector<bool> packed_;              // by parameter: since start()
  std::vector<std::size_t> missing_;      // by bucket: parameters that are not packed yet
  std::size_t next_bucket_ = 0;           // the first one that has not been submitted
  std::vector<std::size_t> ready_order_;  // since start()
  std::optional<std::size_t> repeated_;   // a parameter that was ready twice since start()

  // Last: they use all above, and are gone before it.
  ReductionThread thread_;
  GradientHooks hooks_;
};

}  // namespace convoy::trainer::internal
