// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/timeline.h"
#include "comm/communicator.h"
#include "compress/reduce/reducer.h"
#include "trainer/named_tensor.h"
#include "trainer/parallel/internal/gradient_buckets.h"
#include "trainer/parallel/internal/gradient_hooks.h"
#include "trainer/parallel/internal/late_updates.h"
#include "trainer/parallel/internal/reduction_thread.h"
#include "trainer/parallel/overlap.h"

namespace convoy::trainer::internal {

struct ExchangeOptions {
  std::size_t bucket_bytes;
  Overlap overlap;
  bool find_unused;
  /// kNextForward: applies the average of one parameter.
  std::function<void(std::size_t)> update;
  Placement placement;  ///< of parameters and gradients
};

/// Averages the gradients of one backward pass while it runs. The hooks of trained parameters fill
/// buckets; full ones go, strictly in bucket order, to the communication thread.
///
/// A step is begin_step(), any number of backward passes that only accumulate, then start(),
/// the last backward pass, finish(). With kNextForward the averages are under way after finish()
/// and drain() comes before the next backward pass. After an error only destruction is left.
class GradientExchange {
 public:
  using ReducerPtr = std::unique_ptr<compress::Reducer>;
  struct Times {
    std::chrono::nanoseconds waited{0};    ///< for averages
    std::chrono::nanoseconds updating{0};  ///< inside ExchangeOptions::update
  };

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
  /// A backward pass is over.
  void end_pass() { updates_.forget_unseen(); }
  /// Sends what backward did not reach. Without kNextForward, or where backward went wrong: waits,
  /// and puts the averages into the gradients. @throws CommError; ContractError for a backward that
  /// cannot be averaged.
  void finish();
  /// Waits for and applies what is still under way. @throws what any of it threw.
  void drain();
  /// Gives the step up after an exception in backward: the ranks are out of step for good.
  void abandon(std::exception_ptr error);

  /// Since the last call.
  [[nodiscard]] Times take_times() { return std::exchange(times_, {}); }
  /// Names of the parameters that no backward pass of this step has reached on this rank.
  [[nodiscard]] std::vector<std::string> unreached() const;
  /// Where gradients of the last step whose averages are all in were not finite.
  [[nodiscard]] const std::optional<NonFinite>& nonfinite() const { return nonfinite_; }
  /// Only between finish(), or drain(), and start().
  [[nodiscard]] compress::Reducer& reducer() { return thread_.reducer(); }
  /// Tells `timeline` of waiting and updating, and the Reducer's part; nullptr: no more. When
  /// reducer() may be called.
  void watch(Timeline* timeline);
  /// Of the next step: its gradients are divided by it.
  void set_loss_scale(double scale) { loss_scale_ = scale; }
  /// The number of the next step.
  void set_next_step(std::int64_t step) { step_ = step; }
  /// Of gradients, and of planning their compression in steps whose averages are all in.
  [[nodiscard]] std::uint64_t bytes_sent() const;
  [[nodiscard]] std::vector<std::vector<std::string>> layout() const;

 private:
  void on_ready(std::size_t parameter);
  void cut(const std::vector<std::size_t>& order);
  void mark_packed(std::size_t parameter);
  void submit_complete();
  void pack_rest();
  void update(std::size_t parameter);
  void wait_for_all();
  void deliver();
  [[nodiscard]] std::vector<std::uint8_t> reached_by_any();

  std::vector<NamedTensor> parameters_;
  ExchangeOptions options_;
  std::unique_ptr<comm::Communicator> communicator_;
  std::unique_ptr<GradientBuckets> buckets_;
  std::int64_t step_ = 0;      // number of the next step
  bool has_averaged_ = false;  // there was a step since construction
  bool order_is_final_ = false;
  double loss_scale_ = 1.0;
  Times times_;
  std::optional<NonFinite> nonfinite_;
  std::uint64_t planning_bytes_ = 0;
  std::exception_ptr error_;  // of an earlier step
  Timeline* timeline_ = nullptr;

  // Backward may fire hooks from one thread per device. Taken before the thread's own lock.
  std::mutex mutex_;
  bool filling_ = false;                  // between start() and finish()
  std::vector<std::uint8_t> reached_;     // by parameter: in this step
  std::vector<bool> packed_;              // by parameter: since start()
  std::vector<std::size_t> missing_;      // by bucket: parameters that are not packed yet
  std::vector<std::size_t> tickets_;      // by bucket, of those that have been submitted
  std::vector<std::size_t> ready_order_;  // since start()
  std::optional<std::string> misuse_;     // why this step's gradients are worth nothing

  // Last: they use all above, and are gone before it.
  ReductionThread thread_;
  LateUpdates updates_;
  GradientHooks hooks_;
};

}  // namespace convoy::trainer::internal
