// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "compress/reduce/family.h"
#include "compress/reduce/pool.h"

namespace convoy::compress {

/// A family that has one level more: half, which sends 16 bits a value. Layers at that level travel
/// in the two hops of family `half`, all others as `family` sends them. Residuals serve both.
class HalfOrFamily final : public Family {
 public:
  /// @param half  family `half`.
  HalfOrFamily(std::unique_ptr<Family> family, std::unique_ptr<Family> half);

  [[nodiscard]] std::string_view name() const override { return family_->name(); }
  void check_level(Level level) const override;
  [[nodiscard]] Reduction reduce(std::span<const Item> items, int priority) override;
  [[nodiscard]] double wire_bytes(const Layer& layer, Level level, int ranks) const override;
  [[nodiscard]] double payload_bytes(const Layer& layer, Level level) const override;
  [[nodiscard]] bool sends_dense(const Layer& layer, Level level) const override;
  /// `candidates`: ascending; half, where it is among them, before dense.
  [[nodiscard]] std::vector<LevelCost> table(const Layer& layer, std::span<const float> gradient,
                                             std::span<const Level> candidates, int ranks) override;
  [[nodiscard]] double codec_seconds(const Layer& layer, std::span<const float> gradient,
                                     Level level, int ranks) override;
  void commit() override { family_->commit(); }
  void discard() override { family_->discard(); }
  void discard(const std::string& layer) override { family_->discard(layer); }
  [[nodiscard]] std::uint64_t saturated() const override {
    return family_->saturated() + half_->saturated();
  }
  void save(ReducerState& state) const override { family_->save(state); }
  void load(const ReducerState& state) override { family_->load(state); }
  void watch(Timeline* timeline) override;

 private:
  std::unique_ptr<Family> family_;
  std::unique_ptr<Family> half_;
  /// The items of one call.
  struct Work {
    std::vector<Item> half;
    std::vector<Item> others;
  };
  Pool<Work> works_;
};

}  // namespace convoy::compress
