// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "comm/communicator.h"
#include "compress/reduce/reducer.h"
#include "trainer/parallel/nonfinite.h"

namespace convoy::trainer::internal {

/// Looks for infinities and NaNs in this rank's gradients before they are averaged, and lets all
/// ranks agree on the first rank that has one.
class FiniteCheck {
 public:
  void begin_step() {
    layer_.reset();
    average_is_finite_ = true;
  }
  /// This rank's gradients. One pass over the bucket, until something was found.
  void look_at(const compress::Bucket& bucket);
  /// The averages. One pass.
  void look_at_average(const compress::Bucket& bucket);
  /// Of the averages of this step so far.
  [[nodiscard]] bool average_is_finite() const { return average_is_finite_; }
  /// Collective: one small all-reduce, and a broadcast of the name where there is one. Nothing
  /// where only the sum was beyond float32.
  /// @throws CommError.
  [[nodiscard]] std::optional<NonFinite> agree(comm::Communicator& communicator) const;

 private:
  std::optional<std::string> layer_;  // the first of this rank in this step
  bool average_is_finite_ = true;
};

}  // namespace convoy::trainer::internal
