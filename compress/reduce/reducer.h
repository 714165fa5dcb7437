// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/timeline.h"
#include "comm/buffer.h"
#include "compress/reduce/plan_record.h"
#include "compress/reduce/reduction.h"
#include "compress/reduce/shadow.h"

namespace convoy::compress {

/// One named parameter tensor inside a bucket: where its gradient lies and what shape it has.
struct Layer {
  std::string name;
  std::int64_t offset = 0;  ///< first value in the bucket
  std::vector<std::int64_t> shape;
  std::int64_t numel = 0;
};

/// Layers that are communicated together: their gradients, one after the other.
struct Bucket {
  std::vector<Layer> layers;
  std::span<float> values;
  /// Holds the memory of `values`; handed to the communicator (see comm::Buffer::owner).
  std::shared_ptr<void> owner = nullptr;
  comm::Device device = comm::Device::kHost;  ///< where `values` lie

  [[nodiscard]] std::span<float> values_of(const Layer& layer) const {
    return values.subspan(static_cast<std::size_t>(layer.offset),
                          static_cast<std::size_t>(layer.numel));
  }
};

/// What a Reducer of this rank remembers between steps, for checkpoints.
struct ReducerState {
  /// By kind and layer. "residual/<layer>" and "window/<layer>" differ by rank: where the number of
  /// ranks changes, each new rank starts from the mean over the old ones. All others are the same
  /// on all ranks, or may be missing.
  std::map<std::string, std::vector<float>> arrays;
  /// The plans, as JSON; the same on all ranks. Empty: none.
  std::string plans;
};

/// What gradients have cost so far, in bytes that this rank has sent.
struct Traffic {
  std::uint64_t dense_bytes = 0;  ///< what dense float32 averaging would have sent
  /// What was sent for gradients, and to agree that all are finite.
  std::uint64_t sent_bytes = 0;
  std::uint64_t planning_bytes = 0;  ///< sent beside that, for windows and tables
  std::uint64_t saturated = 0;       ///< values beyond the range of float16 (family half)
  std::uint64_t residual_bytes = 0;  ///< memory that error feedback holds now
};

/// Averages gradients over the ranks of a communicator: the seam between DataParallel and a family
/// of compression. Owned and called by one communication thread; where another thread calls, the
/// first is idle. All ranks start the same buckets in the same order. State, where there is any, is
/// keyed by layer name, never by bucket.
class Reducer {
 public:
  virtual ~Reducer() = default;
  /// Starts step number `step` and makes what the step before it did to the state final.
  /// Everything a step sends belongs to one plan.
  virtual void begin_step(std::int64_t step) = 0;
  /// Begins to replace the values by their mean over all ranks: the same bits everywhere. Several
  /// buckets may be under way; the lower `priority`, the sooner this one is needed. `bucket` stays
  /// where it is until the Reduction is done, and the Reducer longer. @throws CommError.
  [[nodiscard]] virtual Reduction start(const Bucket& bucket, int priority) = 0;
  /// The same; blocks until done.
  void reduce(const Bucket& bucket) {
    auto reduction = start(bucket, 0);
    reduction.wait();
  }
  /// Ends the step, after all its buckets.
  virtual void end_step() = 0;
  /// An error has ended all work: drops the collectives of this Reducer's own that are under way.
  /// Called while the exception is on its way out, after all Reductions have been dropped.
  virtual void drop() {}
  /// The same error concerns this rank alone: communicators of this Reducer's own give up.
  virtual void give_up(const std::string& why) noexcept { (void)why; }
  /// Takes back what the last step did to the state (residuals, factors), because its gradients are
  /// not applied: to the last bit as if it had not been. All ranks call it, or none.
  virtual void discard_step() {}
  /// The same for one layer: its average is not applied.
  virtual void discard_layer(const std::string& name) { (void)name; }

  /// Where buckets may lie: every Reducer takes those on the host.
  [[nodiscard]] virtual bool works_on(comm::Device device) const {
    return device == comm::Device::kHost;
  }
  /// Whether a layer, known by name, shape and numel, is ever compressed. Those that never are want
  /// buckets of their own, so that the little ones travel as few messages. Between steps.
  [[nodiscard]] virtual bool compresses(const Layer& layer) {
    (void)layer;
    return false;
  }
  /// Bytes that this rank sends in a step for a layer (name, shape, numel), as things stand: by the
  /// level that it has now. Between steps. Unless overridden: what its values take.
  [[nodiscard]] virtual double wire_bytes(const Layer& layer) {
    return static_cast<double>(layer.numel) * sizeof(float);
  }
  /// True when an infinity or NaN in any rank's gradient makes some average infinite or NaN, which
  /// all ranks then see without asking each other.
  [[nodiscard]] virtual bool shows_nonfinite() const { return false; }
  [[nodiscard]] virtual Traffic traffic() const { return {}; }
  /// Bytes that communicators of its own have sent, beside the one that it was made with.
  [[nodiscard]] virtual std::uint64_t own_bytes_sent() const { return 0; }
  /// True where Reductions wait for collectives of several communicators: whoever waits for one of
  /// them then looks at the others from time to time.
  [[nodiscard]] virtual bool uses_several_links() const { return false; }
  /// From the next step on reduce() tells `timeline`, which it borrows, where its time goes;
  /// nullptr: no more. Between steps.
  virtual void watch(Timeline* timeline) { (void)timeline; }
  /// The plans made since the last call, for plans.jsonl.
  [[nodiscard]] virtual std::vector<PlanRecord> take_plans() { return {}; }
  /// What the shadow steps have found; once, when they are over.
  [[nodiscard]] virtual std::vector<ShadowRow> take_shadow() { return {}; }
  /// Between steps. Waits for a plan that is being made.
  [[nodiscard]] virtual ReducerState state() { return {}; }
  /// Before the first step, or between steps. @throws ConfigError that names what does not fit.
  virtual void load_state(const ReducerState& state) { (void)state; }
};

}  // namespace convoy::compress
