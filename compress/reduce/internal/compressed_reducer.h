// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "comm/communicator.h"
#include "compress/compression_config.h"
#include "compress/reduce/family.h"
#include "compress/reduce/internal/fused_dense.h"
#include "compress/reduce/internal/plan_book.h"
#include "compress/reduce/internal/residuals.h"
#include "compress/reduce/pool.h"
#include "compress/reduce/reducer.h"
#include "compress/reduce/sent_meter.h"

namespace convoy::compress::internal {

/// Compressed averaging with error feedback: one family for all layers, each at the level that the
/// plan book says. Layers of one dimension, below min_numel, or excluded by name travel dense,
/// those of a bucket fused into one message. Warm-up steps are dense. On one rank nothing is sent
/// and nothing lost.
///
/// Memory beside the buckets: the residual and the step's copy of it; while a window is open its
/// sum; the family's factors; and work space for the buckets that are under way at a time.
class CompressedReducer final : public Reducer {
 public:
  struct Options {
    CompressionConfig config;
    std::uint64_t seed = 1;
    /// Plans of an earlier run to follow instead of making any.
    std::vector<PlanRecord> replay;
    /// Where buckets lie. Those of `family`.
    Executors executors;
  };
  /// Collective; borrows `communicator`, which `family` works on too. The config has been checked.
  /// @throws ConfigError for plans that cannot be replayed.
  CompressedReducer(comm::Communicator& communicator, std::unique_ptr<Family> family,
                    Options options);

  void begin_step(std::int64_t step) override;
  [[nodiscard]] Reduction start(const Bucket& bucket, int priority) override;
  void end_step() override;
  /// What is queued on a device may still write into buckets.
  void drop() override;
  void discard_step() override;
  void discard_layer(const std::string& name) override;
  [[nodiscard]] bool works_on(comm::Device device) const override {
    return device == executor_->device();
  }
  [[nodiscard]] bool compresses(const Layer& layer) override;
  [[nodiscard]] double wire_bytes(const Layer& layer) override;
  [[nodiscard]] Traffic traffic() const override;
  void give_up(const std::string& why) noexcept override { plans_.give_up(why); }
  void watch(Timeline* timeline) override;
  [[nodiscard]] std::vector<PlanRecord> take_plans() override { return plans_.take_announced(); }
  [[nodiscard]] std::vector<ShadowRow> take_shadow() override;
  [[nodiscard]] ReducerState state() override;
  void load_state(const ReducerState& state) override;

 private:
  [[nodiscard]] bool is_warm_up() const { return step_ < options_.config.warmup_steps; }
  [[nodiscard]] bool is_shadow_step() const;
  void commit();
  /// Of one bucket under way.
  struct Work {
    std::vector<Item> items;
    FusedDense fused;
    std::string_view first_dense;  // the first layer in there
    Residuals::Room room;
  };
  void note(const Bucket& bucket);
  /// Sorts the layers of a bucket into those that are compressed and those that go dense.
  void prepare(const Bucket& bucket, Work& work);
  [[nodiscard]] Reduction exchange(Work& work, int priority);
  [[nodiscard]] Reduction average(Work& work, comm::Turn turn);
  [[nodiscard]] Reduction compare_with_dense(const Bucket& bucket, Work& work, int priority);

  comm::Communicator& communicator_;
  std::unique_ptr<Family> family_;
  Options options_;
  std::shared_ptr<Executor> executor_;  // shared with the family
  Residuals residuals_;
  std::map<std::string, bool> compresses_;  // what compresses() has found, by layer
  std::int64_t step_ = 0;
  SentMeter sent_;
  std::uint64_t dense_bytes_ = 0;
  Timeline* timeline_ = nullptr;
  ShadowComparison shadow_;
  Pool<Work> works_;
  int under_way_ = 0;
  PlanBook plans_;  // last: its thread uses the family
};

}  // namespace convoy::compress::internal
