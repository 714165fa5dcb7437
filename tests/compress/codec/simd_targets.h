// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hwy/highway.h>

#include <cstdint>
#include <vector>

namespace convoy::compress {

/// Every SIMD target that kernels are compiled for and this CPU runs, one bit each; the plain one
/// included.
inline std::vector<std::int64_t> simd_targets() {
  hwy::SetSupportedTargetsForTest(0);
  const std::int64_t supported = (hwy::SupportedTargets() & HWY_TARGETS) | HWY_STATIC_TARGET;
  std::vector<std::int64_t> targets;
  for (std::int64_t rest = supported; rest != 0; rest &= rest - 1) targets.push_back(rest & -rest);
  return targets;
}

/// Lets kernels run on one target only; on the best again when it goes.
class OnTarget {
 public:
  explicit OnTarget(std::int64_t target) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
  ~OnTarget() {
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
  OnTarget(const OnTarget&) = delete;
  OnTarget& operator=(const OnTarget&) = delete;
};

}  // namespace convoy::compress
