// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/timeline.h"
#include "comm/communicator.h"
#include "trainer/data/dataset.h"
#include "trainer/data/sampler.h"
#include "trainer/geometry.h"
#include "trainer/job.h"
#include "trainer/models/model.h"
#include "trainer/optim/optimizer.h"
#include "trainer/parallel/data_parallel.h"
#include "trainer/precision.h"
#include "trainer/speed_balance.h"
#include "trainer/stopwatch.h"

namespace convoy::trainer {

/// Which step of the run this is.
struct StepPosition {
  std::int64_t step = 0;  ///< optimizer steps done before it
  std::int64_t epoch = 0;
  std::int64_t step_in_epoch = 0;
};

/// Where the time of a step went, in seconds of this rank.
struct StepSeconds {
  double data = 0.0;
  double forward = 0.0;
  double backward = 0.0;
  double exposed = 0.0;  ///< waiting for communication that nothing did hide
  double optimizer = 0.0;
  /// What depends on this rank alone.
  [[nodiscard]] double computing() const { return data + forward + backward; }
  [[nodiscard]] double total() const { return data + forward + backward + exposed + optimizer; }
};

struct StepResult {
  double loss_sum = 0.0;     ///< mean loss times samples, over all ranks
  std::int64_t samples = 0;  ///< over all ranks
  bool skipped = false;      ///< loss or gradients were not finite and the policy is "skip"
  bool stop = false;         ///< some rank was asked to stop: all ranks see it in the same step
  StepSeconds seconds;
};

/// Runs one optimizer step on all ranks: micro-batches, averaged gradients, clipping, optimizer and
/// buffers; and lets the ranks agree on the loss, on non-finite values and on stopping. Borrows all
/// it is given. Collective; one thread.
class StepRunner {
 public:
  StepRunner(comm::Communicator& communicator, Model& model, DataParallel& parallel,
             Optimizer& optimizer, const Dataset& dataset, const Geometry& geometry, const Job& job,
             const std::atomic<bool>* stop);

  /// Called after each step with the number of steps done, when its averages are in and the Reducer
  /// is idle: with overlap = "next_forward" inside the step after it or drain().
  void on_averaged(std::function<void(std::int64_t steps_done)> call) {
    on_averaged_ = std::move(call);
  }
  /// @throws std::runtime_error that names the first rank whose loss, or the first layer and rank
  ///         whose gradient, is not finite, under "stop". With overlap = "next_forward" the next
  ///         run() or drain() says so of gradients.
  StepResult run(const StepPosition& position, double learning_rate);
  /// Ends the updates of the last step that are still to be made. @return seconds it took.
  double drain();
  /// From the next step on tells `timeline`, which it borrows, of its phases; nullptr: no more.
  void watch(Timeline* timeline) { timeline_ = timeline; }
  [[nodiscard]] LossScaler& scaler() { return scaler_; }
  /// Null unless ranks take parts according to their speed.
  [[nodiscard]] SpeedBalance* balance() { return balance_ ? &*balance_ : nullptr; }

 private:
  struct Vote;
  void micro_batch(const StepPosition& position, std::int64_t batch, bool last, Vote& vote);
  void emulate_slowness(std::int64_t samples) const;
  void train_on(const Batch& batch, const StepPosition& position, std::int64_t index, bool last,
                Vote& vote);
  void take_part_empty(bool last, Vote& vote);
  void update(const StepPosition& position, double learning_rate, Vote& vote);
  void balance_parts(std::int64_t step);
  void refuse_nonfinite(const StepPosition& position, const Vote& vote);
  void leave_out();
  [[noreturn]] void throw_nonfinite_gradient(std::int64_t step) const;
  void settle_averages();
  /// Ends a lap in which only one thing was done.
  double lap(Phase phase);
  void add_lap(Phase phase, double& seconds);

  comm::Communicator& communicator_;
  Model& model_;
  DataParallel& parallel_;
  Optimizer& optimizer_;
  const Dataset& dataset_;
  const Geometry& geometry_;
  const Job& job_;
  const std::atomic<bool>* stop_;
  Sampler sampler_;
  std::optional<SpeedBalance> balance_;
  LossScaler scaler_;
  std::vector<torch::Tensor> saved_buffers_;  ///< to undo a skipped step's BatchNorm statistics
  bool next_forward_;
  std::optional<std::int64_t> unsettled_step_;  ///< its averages may be under way
  std::function<void(std::int64_t)> on_averaged_;
  Stopwatch watch_;
  Timeline* timeline_ = nullptr;
  StepTimes seen_;  ///< of this step's times(), in result_ already
  StepResult result_;
};

}  // namespace convoy::trainer
