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
#include "compress/reduce/compression_config.h"
#include "compress/reduce/family.h"
#include "compress/reduce/internal/fused_dense.h"
#include "compress/reduce/internal/gradient_window.h"
#include "compress/reduce/internal/replanner.h"
#include "compress/reduce/internal/residuals.h"
#include "compress/reduce/plan_schedule.h"
#include "compress/reduce/reducer.h"

namespace convoy::compress {

/// Compressed averaging with error feedback: one family for all layers, each at the level of the
/// current plan. Layers of one dimension, below min_numel, or excluded by name travel dense, fused
/// into one message a bucket. Warm-up steps are dense. On one rank nothing is sent and nothing
/// lost.
///
/// Memory beside the buckets: the residual and the step's copy of it, a window's sum while it is
/// open, and the family's factors.
class CompressedReducer final : public Reducer {
 public:
  struct Options {
    CompressionConfig config;
    std::uint64_t seed = 1;
    /// Plans of an earlier run to follow instead of making any.
    std::vector<PlanRecord> replay;
  };
  /// Collective; borrows `communicator`, which `family` works on too. The config has been checked.
  CompressedReducer(comm::Communicator& communicator, std::unique_ptr<Family> family,
                    Options options);
  ~CompressedReducer() override;

  void begin_step(std::int64_t step) override;
  void reduce(const Bucket& bucket) override;
  void end_step() override;
  void discard_step() override;
  [[nodiscard]] Traffic traffic() const override;
  [[nodiscard]] std::vector<PlanRecord> take_plans() override;
  [[nodiscard]] std::vector<ShadowRow> take_shadow() override;
  [[nodiscard]] ReducerState state() override;
  void load_state(const ReducerState& state) override;

 private:
  [[nodiscard]] bool compresses(const Layer& layer) const;
  [[nodiscard]] bool is_shadow_step() const;
  [[nodiscard]] Level level_of(const Layer& layer) const;
  void commit();
  void follow_plans();
  void start_planning();
  void adopt_if_due();
  void adopt(PlanRecord record);
  void note_layers(const Bucket& bucket);
  void announce_uniform();
  /// Sorts the layers of a bucket into those that are compressed and those that go dense.
  void prepare(const Bucket& bucket);
  void exchange();
  void compare_with_dense(const Bucket& bucket);

  comm::Communicator& communicator_;
  std::unique_ptr<Family> family_;
  Options options_;
  PlanSchedule schedule_;
  internal::Residuals residuals_;
  internal::GradientWindow window_;
  internal::FusedDense fused_;
  std::map<std::string, Layer> layers_;  // all that may be compressed, seen so far
  std::map<std::string, Level> levels_;  // of the current plan
  std::optional<PlanRecord> current_;
  std::optional<PlanRecord> ready_;  // made, and not yet in effect
  std::int64_t due_ = -1;            // the step at which the plan under way takes effect
  std::int64_t version_ = -1;        // of the last plan that was announced
  std::vector<PlanRecord> announced_;
  std::int64_t step_ = 0;
  std::vector<Item> items_;  // of the bucket under way
  Traffic traffic_;
  ShadowComparison shadow_;
  bool shadow_is_new_ = false;
  std::vector<float> shadow_means_;
  std::atomic<bool> busy_ = false;
  std::unique_ptr<internal::Replanner> replanner_;  // last: uses family and busy_
};

}  // namespace convoy::compress
