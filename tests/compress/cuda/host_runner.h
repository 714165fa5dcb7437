// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/random.h"
#include "compress/cuda/internal/kernel.h"

namespace convoy::compress::cuda {

/// In which order blocks, and within each phase the threads of a block, run. A kernel whose result
/// depends on it has a race on a GPU.
enum class Order { kForward, kBackward, kShuffled };

/// Runs kernels on the host: block after block, phase after phase, thread after thread. Shared
/// memory and fresh buffers begin with garbage; DeviceSpan checks every access. One Random for all
/// launches, so that shuffles differ.
class HostRunner {
 public:
  /// Memory of exactly the size that was asked for last, so that AddressSanitizer sees its end too.
  template <typename T>
  class Buffer {
   public:
    DeviceSpan<T> at_least(std::int64_t count) {
      bytes_.assign(static_cast<std::size_t>(count) * sizeof(T), std::byte{0xCD});
      bytes_.shrink_to_fit();
      return {reinterpret_cast<T*>(bytes_.data()), count};
    }

   private:
    std::vector<std::byte> bytes_;
  };

  explicit HostRunner(Order order = Order::kForward) : order_(order) {}

  template <typename Kernel>
  void launch(const Kernel& kernel, std::int64_t blocks, int threads) {
    static_assert(std::is_trivially_copyable_v<Kernel>, "arguments of kernels are copied by bytes");
    for (const std::int64_t block : in_order(blocks)) {
      alignas(typename Kernel::Shared) std::byte memory[sizeof(typename Kernel::Shared)];
      std::memset(memory, 0xCD, sizeof memory);
      auto& shared = *reinterpret_cast<typename Kernel::Shared*>(memory);
      run_phases(kernel, block, threads, shared,
                 std::make_integer_sequence<int, Kernel::kPhases>());
    }
  }

  template <typename T>
  void fill_zero(DeviceSpan<T> span) {
    if (span.size() == 0) return;
    void* const memory = span.data();
    std::memset(memory, 0, static_cast<std::size_t>(span.size()) * sizeof(T));
  }

  template <typename T>
  std::vector<std::remove_const_t<T>> to_host(DeviceSpan<T> span) {
    return {span.data(), span.data() + span.size()};
  }

 private:
  template <typename Kernel, typename Shared, int... kIndex>
  void run_phases(const Kernel& kernel, std::int64_t block, int threads, Shared& shared,
                  std::integer_sequence<int, kIndex...>) {
    (run_phase<kIndex>(kernel, block, threads, shared), ...);
  }

  template <int kIndex, typename Kernel, typename Shared>
  void run_phase(const Kernel& kernel, std::int64_t block, int threads, Shared& shared) {
    for (const std::int64_t thread : in_order(threads)) {
      kernel(Phase<kIndex>{}, ThreadAt{block, static_cast<int>(thread), threads}, shared);
    }
  }

  std::vector<std::int64_t> in_order(std::int64_t count) {
    if (order_ == Order::kShuffled) return permutation(count, random_);
    std::vector<std::int64_t> order(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    if (order_ == Order::kBackward) std::ranges::reverse(order);
    return order;
  }

  Order order_;
  Random random_{1};
};

}  // namespace convoy::compress::cuda
