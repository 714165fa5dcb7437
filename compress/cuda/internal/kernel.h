// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/host_device.h"
#include "compress/cuda/device_span.h"

// What a kernel is: a small struct with its arguments, copied by value, and
//   struct Shared              memory of a block; begins with any contents, no constructor runs
//   static constexpr kPhases   number of phases
//   void operator()(Phase<i>, ThreadAt, Shared&) const   what one thread does in phase i
// The threads of a block wait for each other between phases, and only there, so that a launcher on
// the host can run a phase for one thread after the other, in any order. Nothing of a thread but
// what it writes into Shared, or into memory that is its block's alone, lasts from phase to phase.
// Blocks know nothing of each other but through atomic sums. A kernel that loops has also
//   static constexpr kRepeatFrom       from this phase on, the phases are repeated
//   bool done(const Shared&) const     until this holds after the last of them

namespace convoy::compress::internal {}

namespace convoy::compress::cuda {

/// The arithmetic that the codecs of the CPU call too.
namespace math = compress::internal;

template <int kIndex>
struct Phase {};

template <typename Kernel>
concept Repeats = requires {
  Kernel::kRepeatFrom;
};

/// How many phases of a kernel run but once, and are followed by those that repeat.
template <typename Kernel>
[[nodiscard]] constexpr int phases_that_run_once() {
  if constexpr (Repeats<Kernel>) {
    return Kernel::kRepeatFrom;
  } else {
    return Kernel::kPhases;
  }
}

/// Who a thread is.
struct ThreadAt {
  std::int64_t block = 0;
  int thread = 0;
  int threads = 0;  ///< of a block

  /// Its number among the threads of all blocks.
  [[nodiscard]] CONVOY_HOST_DEVICE std::int64_t index() const { return block * threads + thread; }
};

/// For kernels whose threads share nothing.
struct NothingShared {};

/// sum += term, whoever else does the same. Integers only: no order, no rounding.
CONVOY_HOST_DEVICE inline void atomic_add(std::uint64_t& sum, std::uint64_t term) {
#if defined(__CUDA_ARCH__)
  atomicAdd(reinterpret_cast<unsigned long long*>(&sum), static_cast<unsigned long long>(term));
#else
  sum += term;
#endif
}

CONVOY_HOST_DEVICE inline void atomic_add(std::uint32_t& sum, std::uint32_t term) {
#if defined(__CUDA_ARCH__)
  atomicAdd(&sum, term);
#else
  sum += term;
#endif
}

CONVOY_HOST_DEVICE inline void atomic_max(std::uint32_t& largest, std::uint32_t value) {
#if defined(__CUDA_ARCH__)
  atomicMax(&largest, value);
#else
  if (value > largest) largest = value;
#endif
}

/// Payloads are not aligned.
template <typename T>
CONVOY_HOST_DEVICE T load_at(DeviceSpan<const std::byte> bytes, std::int64_t offset) {
  T value;
  std::memcpy(&value, bytes.part(offset, sizeof(T)).data(), sizeof(T));
  return value;
}

template <typename T>
CONVOY_HOST_DEVICE void store_at(DeviceSpan<std::byte> bytes, std::int64_t offset, const T& value) {
  std::memcpy(bytes.part(offset, sizeof(T)).data(), &value, sizeof(T));
}

/// Blocks of `threads` that hold one thread for each of `count` items.
[[nodiscard]] inline std::int64_t blocks_for(std::int64_t count, int threads) {
  return (count + threads - 1) / threads;
}

}  // namespace convoy::compress::cuda
