// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/host_device.h"
#include "compress/codec/internal/elementwise.h"
#include "compress/codec/internal/grid.h"
#include "compress/codec/internal/magnitude.h"
#include "compress/cuda/internal/kernel.h"

// The range of one group of values, found by a block in three phases. Minima and maxima have no
// order, so the bits are the CPU's; the sign of a zero is not defined, and make_grid() drops it.

namespace convoy::compress::cuda {

/// Most threads of a block that finds a range.
inline constexpr int kRangeThreads = 256;
/// So many partial results are joined by each thread of the second phase.
inline constexpr int kJoined = 16;

/// Range of some values, with the largest key in place of `finite`.
struct PartialRange {
  float lo;
  float hi;
  std::uint32_t largest;
};

struct RangeShared {
  PartialRange of_thread[kRangeThreads];
  PartialRange of_many[kRangeThreads / kJoined];
};

CONVOY_HOST_DEVICE inline PartialRange range_of_one(float value) {
  return {value, value, math::key_of(value)};
}

CONVOY_HOST_DEVICE inline void join(PartialRange& range, const PartialRange& other) {
  if (other.lo < range.lo) range.lo = other.lo;
  if (other.hi > range.hi) range.hi = other.hi;
  if (other.largest > range.largest) range.largest = other.largest;
}

/// First phase: each thread looks at one of at.threads values.
template <typename T>
CONVOY_HOST_DEVICE void find_own_range(ThreadAt at, DeviceSpan<const T> group,
                                       RangeShared& shared) {
  PartialRange range =
      range_of_one(math::as_float(group[at.thread < group.size() ? at.thread : 0]));
  for (std::int64_t i = at.thread; i < group.size(); i += at.threads) {
    join(range, range_of_one(math::as_float(group[i])));
  }
  shared.of_thread[at.thread] = range;
}

/// Second phase.
CONVOY_HOST_DEVICE inline void join_ranges(ThreadAt at, RangeShared& shared) {
  const int first = at.thread * kJoined;
  if (first >= at.threads) return;
  PartialRange range = shared.of_thread[first];
  for (int i = first + 1; i < first + kJoined && i < at.threads; ++i) {
    join(range, shared.of_thread[i]);
  }
  shared.of_many[at.thread] = range;
}

/// Third phase: any thread may ask.
CONVOY_HOST_DEVICE inline math::Range joined_range(ThreadAt at, const RangeShared& shared) {
  PartialRange range = shared.of_many[0];
  for (int i = 1; i * kJoined < at.threads; ++i) join(range, shared.of_many[i]);
  return {range.lo, range.hi, range.largest < math::kInfinityKey};
}

}  // namespace convoy::compress::cuda
