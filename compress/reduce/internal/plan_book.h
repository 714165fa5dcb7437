// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "compress/compression_config.h"
#include "compress/reduce/family.h"
#include "compress/reduce/internal/bucket_clock.h"
#include "compress/reduce/internal/gradient_window.h"
#include "compress/reduce/internal/plan_schedule.h"
#include "compress/reduce/internal/plan_state.h"
#include "compress/reduce/internal/replanner.h"
#include "compress/reduce/internal/step_guard.h"

namespace convoy::compress::internal {

/// Which level every layer has in a step: the uniform plan, plans made from windows of gradients,
/// or plans of an earlier run. The same on all ranks.
class PlanBook {
 public:
  /// Collective; borrows `communicator` and `family`. @param executors  those of `family`.
  /// @throws ConfigError when `replay` differs between ranks or holds a level that the family
  /// lacks.
  PlanBook(comm::Communicator& communicator, Family& family, const CompressionConfig& config,
           const Executors& executors, std::vector<PlanRecord> replay);

  /// Step `step` begins: puts the plan that is due into effect, waiting for it where it is late,
  /// and starts to make the next one when a window has ended.
  /// @param step_error  of this rank in the step before; asked for when a plan is begun.
  void begin_step(std::int64_t step, const std::function<double()>& step_error);
  /// The next bucket of the step is complete.
  void arrives(const Bucket& bucket);
  /// A layer that may be compressed, with this rank's gradient of this step.
  void note(const Layer& layer, std::span<const float> gradient);
  [[nodiscard]] Level level_of(const Layer& layer) const;
  /// After all buckets of a step. @throws ConfigError when a replayed plan is of other layers.
  void end_step();
  void commit() { window_.commit(); }
  void discard() { window_.discard(); }

  /// True while gradients travel: planning then gives way.
  [[nodiscard]] std::atomic<bool>& busy() { return busy_; }
  /// The plans that came into effect since the last call.
  [[nodiscard]] std::vector<PlanRecord> take_announced();
  /// Payload bytes that planning has sent.
  [[nodiscard]] std::uint64_t bytes_sent() const;
  /// See Reducer::give_up().
  void give_up(const std::string& why) noexcept;

  /// Waits for a plan that is being made.
  [[nodiscard]] PlanState save(ReducerState& state);
  void load(const ReducerState& state, PlanState plans);

 private:
  void start_planning(double step_error);
  void adopt_if_due();
  void adopt(PlanRecord record);
  void announce(PlanRecord record);
  void put_into_effect(const PlanRecord& record);
  void guard();
  [[nodiscard]] PlanRecord dense_plan() const;
  void announce_uniform();
  void check_replay();
  void require_replay_covers_layers() const;
  [[nodiscard]] std::string made_for() const;
  void wait_for_plan();

  comm::Communicator& communicator_;
  Family& family_;
  const CompressionConfig config_;
  std::vector<PlanRecord> replay_;
  PlanSchedule schedule_;
  GradientWindow window_;
  std::map<std::string, Layer> layers_;  // all that may be compressed, seen so far
  std::map<std::string, Level> levels_;  // of the current plan
  std::optional<PlanRecord> current_;    // the plan, where the guard does not send all dense
  std::optional<PlanRecord> ready_;      // made, and not yet in effect
  std::int64_t due_ = -1;                // the step at which the plan under way takes effect
  std::int64_t version_ = -1;            // of the last plan that was announced
  std::int64_t step_ = 0;
  std::vector<PlanRecord> announced_;
  // Objective "time":
  std::optional<StepGuard> guard_;
  bool goes_dense_ = false;  // says the guard
  BucketClock clock_;
  BucketClock::Clock::time_point step_began_{};
  std::atomic<bool> busy_ = false;
  std::unique_ptr<Replanner> replanner_;  // last: uses family and busy_
};

}  // namespace convoy::compress::internal
