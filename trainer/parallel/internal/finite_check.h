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
    own_.reset();
    average_.reset();
  }
  /// This rank's gradients. One pass over the bucket, until something was found.
  void look_at(const compress::Bucket& bucket);
  /// The averages, which are the same on all ranks. One pass, until something was found.
  void look_at_average(const compress::Bucket& bucket);
  /// Of the averages of this step so far.
  [[nodiscard]] bool average_is_finite() const { return !average_; }
  /// Collective: one small all-reduce, and a broadcast of the name where there is one.
  /// @throws CommError.
  [[nodiscard]] std::optional<NonFinite> agree(comm::Communicator& communicator) const;

 private:
  std::optional<std::string> own_;      // the first layer of this rank in this step
  std::optional<std::string> average_;  // the first layer whose average is not finite
};

}  // namespace convoy::trainer::internal
