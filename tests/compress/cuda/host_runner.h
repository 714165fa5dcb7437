// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/random.h"
#include "compress/cuda/internal/kernel.h"
#include "compress/cuda/stream.h"
#include "tests/compress/cuda/host_memory.h"

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
    for_each(blocks, [&](std::int64_t block) { run_block(kernel, block, threads); });
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

  [[nodiscard]] std::shared_ptr<std::byte> allocate(std::size_t bytes) {
    return allocate_guarded(bytes);
  }
  void enter() {}
  void copy_in(std::span<const std::byte> from, DeviceSpan<std::byte> to) {
    std::ranges::copy(from, to.data());
  }
  void copy_out(DeviceSpan<const std::byte> from, std::span<std::byte> to) {
    std::copy_n(from.data(), to.size(), to.data());
  }
  void copy(DeviceSpan<const std::byte> from, DeviceSpan<std::byte> to) {
    std::copy_n(from.data(), to.size(), to.data());
  }
  void follow_caller() {}
  void finish() {}
  [[nodiscard]] Stream stream() const { return nullptr; }

 private:
  template <typename Kernel>
  void run_block(const Kernel& kernel, std::int64_t block, int threads) {
    alignas(typename Kernel::Shared) std::byte memory[sizeof(typename Kernel::Shared)];
    std::memset(memory, 0xCD, sizeof memory);
    auto& shared = *reinterpret_cast<typename Kernel::Shared*>(memory);
    constexpr int kOnce = phases_that_run_once<Kernel>();
    run_phases<0>(kernel, block, threads, shared, std::make_integer_sequence<int, kOnce>());
    if constexpr (Repeats<Kernel>) {
      do {
        run_phases<kOnce>(kernel, block, threads, shared,
                          std::make_integer_sequence<int, Kernel::kPhases - kOnce>());
      } while (!kernel.done(shared));
    }
  }

  template <int kFrom, typename Kernel, typename Shared, int... kIndex>
  void run_phases(const Kernel& kernel, std::int64_t block, int threads, Shared& shared,
                  std::integer_sequence<int, kIndex...>) {
    (run_phase<kFrom + kIndex>(kernel, block, threads, shared), ...);
  }

  template <int kIndex, typename Kernel, typename Shared>
  void run_phase(const Kernel& kernel, std::int64_t block, int threads, Shared& shared) {
    for_each(threads, [&](std::int64_t thread) {
      kernel(Phase<kIndex>{}, ThreadAt{block, static_cast<int>(thread), threads}, shared);
    });
  }

  /// Calls visit(i) for every i below `count`. Forward in a plain loop: whole runs of training go
  /// through it.
  template <typename Visit>
  void for_each(std::int64_t count, const Visit& visit) {
    switch (order_) {
      case Order::kForward:
        for (std::int64_t i = 0; i < count; ++i) visit(i);
        return;
      case Order::kBackward:
        for (std::int64_t i = count; i > 0; --i) visit(i - 1);
        return;
      case Order::kShuffled:
        for (const std::int64_t i : permutation(count, random_)) visit(i);
        return;
    }
  }

  Order order_;
  Random random_{1};
};

}  // namespace convoy::compress::cuda
