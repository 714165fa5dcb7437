// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "compress/cuda/internal/kernel.h"

namespace convoy::compress::cuda {

/// Writes a few bytes that the host knows, such as a payload's header. One thread; the bytes travel
/// with the launch, so nobody waits for a copy.
struct StoreBytes {
  static constexpr int kPhases = 1;
  static constexpr std::size_t kMost = 32;
  using Shared = NothingShared;

  std::byte bytes[kMost];
  std::int64_t count;
  DeviceSpan<std::byte> out;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt, Shared&) const {
    for (std::int64_t i = 0; i < count; ++i) out[i] = bytes[i];
  }
};

}  // namespace convoy::compress::cuda
