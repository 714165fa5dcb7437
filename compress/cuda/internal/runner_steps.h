// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

#include "compress/codec/codec.h"
#include "compress/cuda/internal/kernel.h"
#include "compress/cuda/internal/store_kernel.h"

// The codecs on a device are written for any Runner: DeviceRunner (a stream of a GPU) or that of
// the tests, which runs kernels on the host. A Runner has
//   Buffer<T>                      device memory; at_least(n) is a span of n, old contents lost
//   launch(kernel, blocks, threads)    queues a kernel; nothing if there are no blocks
//   fill_zero(span)                queues zeros
//   to_host(span) -> vector        waits for all that is queued, then copies
// and, as in Engine, enter(), allocate(), copy_in(), copy_out(), copy(), follow_caller(), finish(),
// stream(), where the sizes fit already.

namespace convoy::compress::cuda {

/// Blocks of kernels without cooperation.
inline constexpr int kThreads = 256;

/// Queues a copy of `bytes`, up to StoreBytes::kMost, to the front of `out`.
template <typename Runner>
void store_front(Runner& runner, std::span<const std::byte> bytes, DeviceSpan<std::byte> out) {
  StoreBytes store{{}, static_cast<std::int64_t>(bytes.size()), out};
  std::ranges::copy(bytes, store.bytes);
  runner.launch(store, 1, 1);
}

/// The first bytes of a payload, at most `count`.
template <typename Runner>
std::vector<std::byte> read_front(Runner& runner, DeviceSpan<const std::byte> payload,
                                  std::size_t count) {
  return runner.to_host(
      payload.part(0, std::min(payload.size(), static_cast<std::int64_t>(count))));
}

/// Throws what the CPU's codec throws at a payload that a kernel has found to be bad.
template <typename Runner>
[[noreturn]] void throw_as_host(Runner& runner, const Codec& codec,
                                DeviceSpan<const std::byte> payload, std::int64_t numel) {
  std::vector<float> out(static_cast<std::size_t>(numel));
  codec.decode(runner.to_host(payload), out);
  throw std::logic_error("a kernel refused a payload that the CPU decodes");
}

}  // namespace convoy::compress::cuda
