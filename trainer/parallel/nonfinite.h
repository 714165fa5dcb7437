// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace convoy::trainer {

/// Where a step's gradients were not finite before averaging: the first rank, and its first layer
/// in the order of sending. The same on all ranks.
struct NonFinite {
  /// For `rank`: every rank's gradient was finite, and only their sum was beyond float32.
  static constexpr int kSum = -1;
  int rank = 0;
  std::string layer;
};

}  // namespace convoy::trainer
