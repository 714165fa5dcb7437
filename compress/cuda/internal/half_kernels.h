// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "compress/codec/internal/elementwise.h"
#include "compress/codec/internal/half_layout.h"
#include "compress/codec/internal/half_wire.h"
#include "compress/cuda/internal/kernel.h"
#include "compress/cuda/internal/sink.h"

// One thread for each value. `wire` is a payload without its header.

namespace convoy::compress::cuda {

template <typename T>
struct EncodeHalf {
  static constexpr int kPhases = 1;
  using Shared = NothingShared;

  DeviceSpan<const T> values;
  HalfFormat format;
  DeviceSpan<std::byte> wire;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared&) const {
    const std::int64_t i = at.index();
    if (i >= values.size()) return;
    const float value = math::as_float(values[i]);
    store_at(wire, i * static_cast<std::int64_t>(math::kHalfBytes),
             format == HalfFormat::kFloat16 ? math::to_wire_bits<Half>(value)
                                            : math::to_wire_bits<BFloat16>(value));
  }
};

struct DecodeHalf {
  static constexpr int kPhases = 1;
  using Shared = NothingShared;

  DeviceSpan<const std::byte> wire;
  HalfFormat format;
  Sink sink;
  DeviceSpan<float> out;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared&) const {
    const std::int64_t i = at.index();
    if (i >= out.size()) return;
    const auto bits = load_at<std::uint16_t>(wire, i * static_cast<std::int64_t>(math::kHalfBytes));
    sink.put(out[i],
             format == HalfFormat::kFloat16 ? to_float(Half{bits}) : to_float(BFloat16{bits}));
  }
};

/// Adds to `count` for each value that encoding saturates.
struct CountSaturated {
  static constexpr int kPhases = 1;
  using Shared = NothingShared;

  DeviceSpan<const float> values;
  HalfFormat format;
  DeviceSpan<std::uint64_t> count;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared&) const {
    const std::int64_t i = at.index();
    if (i >= values.size()) return;
    const bool saturated =
        (format == HalfFormat::kFloat16 ? math::saturates<Half>(values[i])
                                        : math::saturates<BFloat16>(values[i])) != 0;
    // Rare: that many threads meet here costs only those who train on such values.
    if (saturated) atomic_add(count[0], std::uint64_t{1});
  }
};

}  // namespace convoy::compress::cuda
