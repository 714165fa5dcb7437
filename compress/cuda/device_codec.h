// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "base/half.h"
#include "compress/codec/codec.h"
#include "compress/cuda/device_span.h"

namespace convoy::compress::cuda {

/// As Values, on a GPU.
using DeviceValues =
    std::variant<DeviceSpan<const float>, DeviceSpan<const Half>, DeviceSpan<const BFloat16>>;

/// A Codec whose values and payloads lie on a GPU. The bytes of payloads, the decoded values and
/// the level tables are those of the Codec with the same config, bit for bit, so that CPUs and GPUs
/// can share one job; only of a NaN in a sum the bits may differ.
///
/// Engine::make_codec() makes them. Works on the engine's stream; keeps scratch memory on its
/// device, which grows with the largest layer. Whoever calls makes that device current, which CUDA
/// keeps for each thread. One thread at a time.
class DeviceCodec {
 public:
  virtual ~DeviceCodec() = default;
  /// The codec of the CPU that does the same: name, levels, sizes.
  [[nodiscard]] virtual const Codec& on_host() const = 0;

  /// As Codec::encode(). Returns when the work is queued; top_k waits for the size.
  [[nodiscard]] std::size_t encode(DeviceValues values, Level level, std::uint64_t seed,
                                   DeviceSpan<std::byte> out);
  /// As Codec::decode(), waiting for the stream: what a payload says is checked.
  void decode(DeviceSpan<const std::byte> payload, DeviceSpan<float> out);
  /// As Codec::add_decoded(), waiting likewise.
  void add_decoded(DeviceSpan<const std::byte> payload, float scale, DeviceSpan<float> out);
  /// As Codec::levels(), waiting likewise.
  [[nodiscard]] std::vector<LevelCost> levels(DeviceSpan<const float> values,
                                              std::span<const Level> candidates);

 private:
  [[nodiscard]] virtual std::size_t do_encode(DeviceValues values, Level level, std::uint64_t seed,
                                              DeviceSpan<std::byte> out) = 0;
  virtual void do_decode(DeviceSpan<const std::byte> payload, DeviceSpan<float> out) = 0;
  virtual void do_add_decoded(DeviceSpan<const std::byte> payload, float scale,
                              DeviceSpan<float> out) = 0;
  /// Squared errors of `candidates`, none of them dense.
  [[nodiscard]] virtual std::vector<double> do_errors(DeviceSpan<const float> values,
                                                      std::span<const Level> candidates) = 0;
};

}  // namespace convoy::compress::cuda
