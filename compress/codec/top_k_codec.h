// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compress/codec/codec.h"

namespace convoy::compress {

enum class TopKValues {
  kFloat32,  ///< exact
  kFloat16,  ///< half the bytes; rounded to 11 bits, with one power of two a payload as scale
};

struct TopKConfig {
  TopKValues values = TopKValues::kFloat32;
};

/// Sends the values of largest magnitude and leaves the others zero. The level is the density: of n
/// values exactly max(1, ceil(density * n)) are sent, the product in float64; of equal magnitudes
/// those with the lower index. NaN counts as the largest. Layout: docs/codecs.md.
///
/// The payload's size depends on where the values lie: indices take the smallest of four forms.
/// typical_bytes() and the level table say what indices at random would take, from density alone.
/// The errors of the table, for all candidates from one pass, are within 1 % of exact.
/// Cost of encode(): at 1 % about two copies of the values; decoding writes only what was sent (and
/// zeros). Memory: some 30 bytes for each value sent.
class TopKCodec : public Codec {
 public:
  explicit TopKCodec(TopKConfig config = {}) : config_(config) {}
  [[nodiscard]] std::string_view family() const override { return "top_k"; }
  void check_level(Level level) const override;
  [[nodiscard]] const TopKConfig& config() const { return config_; }

 private:
  [[nodiscard]] std::size_t do_max_bytes(std::int64_t numel, Level level) const override;
  [[nodiscard]] std::size_t do_typical_bytes(std::int64_t numel, Level level) const override;
  [[nodiscard]] std::size_t do_encode(Values values, Level level, std::uint64_t seed,
                                      std::span<std::byte> out) const override;
  void do_decode(std::span<const std::byte> payload, std::span<float> out) const override;
  void do_add_decoded(std::span<const std::byte> payload, float scale,
                      std::span<float> out) const override;
  [[nodiscard]] std::vector<LevelCost> do_levels(std::span<const float> values,
                                                 std::span<const Level> candidates) const override;

  TopKConfig config_;
};

}  // namespace convoy::compress
