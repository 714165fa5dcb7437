// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "compress/level.h"

namespace convoy::compress {

/// A Codec whose values and payloads lie where its Executor works: as Codec, with the same bytes.
/// One thread at a time.
class PlacedCodec {
 public:
  virtual ~PlacedCodec() = default;
  [[nodiscard]] virtual std::size_t encode(std::span<const float> values, Level level,
                                           std::uint64_t seed, std::span<std::byte> out) = 0;
  virtual void decode(std::span<const std::byte> payload, std::span<float> out) = 0;
  virtual void add_decoded(std::span<const std::byte> payload, float scale,
                           std::span<float> out) = 0;
  [[nodiscard]] virtual std::vector<LevelCost> levels(std::span<const float> values,
                                                      std::span<const Level> candidates) = 0;
};

}  // namespace convoy::compress
