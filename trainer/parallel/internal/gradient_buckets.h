// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "compress/reduce/reducer.h"
#include "trainer/named_tensor.h"
#include "trainer/parallel/placement.h"

namespace convoy::trainer::internal {

/// The memory in which gradients travel: one float32 slot per parameter, slots in buckets.
/// A dense float32 gradient on the buckets' device lives in its slot (`.grad` is the slot, so that
/// an average needs no copy back); others are copied and converted on the way in and out.
class GradientBuckets {
 public:
  /// @param layout  for each bucket the indices of its parameters.
  /// @param place  where buckets lie.
  GradientBuckets(const std::vector<NamedTensor>& parameters,
                  const std::vector<std::vector<std::size_t>>& layout, const Placement& place);

  [[nodiscard]] std::size_t size() const { return buckets_.size(); }
  [[nodiscard]] const compress::Bucket& bucket(std::size_t index) const { return buckets_[index]; }
  [[nodiscard]] std::size_t bucket_of(std::size_t parameter) const {
    return slots_[parameter].bucket;
  }

  /// Gradients come so many times too large, and are divided when they are packed.
  void set_loss_scale(double scale) { to_unscale_ = 1.0 / scale; }

  /// Moves the parameter's gradient into its slot.
  void pack(std::size_t parameter);
  /// Copies the gradient, or zeros, into the slot and leaves `.grad` as it is, outside the slot:
  /// the step may turn out not to touch it.
  void pack_aside(std::size_t parameter);
  /// Makes the slot's values the parameter's gradient.
  void deliver(std::size_t parameter);

 private:
  struct Slot {
    torch::Tensor parameter;
    torch::Tensor values;  // of the parameter's shape, inside the bucket; keeps its memory
    std::size_t bucket = 0;
    bool in_place = false;  // `.grad` may be `values` itself
  };

  void make_bucket(const std::vector<NamedTensor>& parameters,
                   const std::vector<std::size_t>& members);

  void unscale(Slot& slot) const;

  Placement place_;
  double to_unscale_ = 1.0;
  std::vector<Slot> slots_;  // by parameter
  std::vector<compress::Bucket> buckets_;
};

}  // namespace convoy::trainer::internal
