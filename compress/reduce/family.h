// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/timeline.h"
#include "compress/level.h"
#include "compress/reduce/reducer.h"
#include "compress/reduce/reduction.h"

namespace convoy::compress {

/// One layer on its way through a compressed average.
struct Item {
  const Layer* layer = nullptr;
  Level level;
  std::uint64_t key = 0;  ///< of this layer, step and seed: the same on all ranks
  std::span<float> owed;  ///< in: residual + gradient; out: what the peers have not received of it
  std::span<float> mean;  ///< out: the mean over ranks of what was sent
};

/// How one family of compression averages layers over the ranks (design section 5). Knows nothing
/// of residuals' memory, plans or steps. One thread, but for wire_bytes(), payload_bytes() and
/// table().
class Family {
 public:
  virtual ~Family() = default;
  /// As job files spell it.
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// @throws ContractError, saying what levels there are, unless `level` is one of them.
  virtual void check_level(Level level) const = 0;

  /// Begins to average all items with as few messages as possible: mean gets the same bits on all
  /// ranks, and for every value the mean over ranks of (owed before - owed after) equals `mean` up
  /// to float32 rounding. Called with two or more ranks, levels not dense. Several calls may be
  /// under way, of different layers; `items` stay until theirs is done. The places of all its
  /// collectives are settled when this returns. The lower `priority`, the sooner it is needed.
  /// @throws CommError.
  [[nodiscard]] virtual Reduction reduce(std::span<const Item> items, int priority) = 0;

  /// Bytes that one rank sends in one step for a layer of this shape at `level` (dense allowed)
  /// among `ranks` ranks. Any thread.
  [[nodiscard]] virtual double wire_bytes(const Layer& layer, Level level, int ranks) const = 0;
  /// Encoded size of the whole layer. Any thread.
  [[nodiscard]] virtual double payload_bytes(const Layer& layer, Level level) const = 0;
  /// True where `level` saves nothing for this layer, which is then sent dense.
  [[nodiscard]] virtual bool sends_dense(const Layer& layer, Level level) const {
    (void)layer;
    return level.is_dense();
  }
  /// The level table of a gradient; bytes are wire bytes. One planning thread, while another one
  /// may be inside reduce().
  [[nodiscard]] virtual std::vector<LevelCost> table(const Layer& layer,
                                                     std::span<const float> gradient,
                                                     std::span<const Level> candidates,
                                                     int ranks) = 0;

  /// Seconds of this rank's CPU that one step encodes and decodes a layer like this one, measured
  /// now. Not for dense. One planning thread, as table().
  [[nodiscard]] virtual double codec_seconds(const Layer& layer, std::span<const float> gradient,
                                             Level level, int ranks) = 0;

  /// Makes what reduce() did to the family's own state (factors) final.
  virtual void commit() {}
  /// Takes it back: all of it, or that of one layer.
  virtual void discard() {}
  virtual void discard(const std::string& layer) { (void)layer; }
  /// Values beyond the range of the wire format so far.
  [[nodiscard]] virtual std::uint64_t saturated() const { return 0; }
  virtual void save(ReducerState& state) const { (void)state; }
  virtual void load(const ReducerState& state) { (void)state; }

  /// From here on reduce() tells where its time goes; nullptr: no more.
  virtual void watch(Timeline* timeline) { timeline_ = timeline; }

 protected:
  [[nodiscard]] TimedSpan timed(Phase phase, const Item& item) const {
    return {timeline_, phase, item.layer->name};
  }

 private:
  Timeline* timeline_ = nullptr;
};

/// Bytes that one rank sends for `payload` bytes by reduce-scatter and all-gather.
[[nodiscard]] constexpr double two_hop_bytes(double payload, int ranks) {
  return 2.0 * payload * (ranks - 1) / ranks;
}

}  // namespace convoy::compress
