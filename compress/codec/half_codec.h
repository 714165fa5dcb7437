// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compress/codec/codec.h"

namespace convoy::compress {

enum class HalfFormat {
  kFloat16,   ///< 11 significant bits, up to 65504
  kBFloat16,  ///< 8 significant bits, the range of float32
};

struct HalfConfig {
  HalfFormat format = HalfFormat::kFloat16;
};

/// Two bytes a value. Its one level is 16 (bits). Rounds to nearest, ties to even; finite values
/// beyond the range of the format become its largest (count_saturated() tells how many), infinities
/// and NaN stay what they are. Layout: docs/codecs.md. A payload has always exactly max_bytes().
///
/// A decoded value is off by at most 2^-11 (float16) or 2^-8 (bfloat16) of its magnitude; in
/// float16 at least 2^-25, as its subnormal numbers end there.
class HalfCodec : public Codec {
 public:
  explicit HalfCodec(HalfConfig config = {}) : config_(config) {}
  [[nodiscard]] std::string_view family() const override { return "half"; }
  void check_level(Level level) const override;
  [[nodiscard]] const HalfConfig& config() const { return config_; }

 private:
  [[nodiscard]] std::size_t do_max_bytes(std::int64_t numel, Level level) const override;
  [[nodiscard]] std::size_t do_encode(Values values, Level level, std::uint64_t seed,
                                      std::span<std::byte> out) const override;
  void do_decode(std::span<const std::byte> payload, std::span<float> out) const override;
  void do_add_decoded(std::span<const std::byte> payload, float scale,
                      std::span<float> out) const override;

  HalfConfig config_;
};

/// How many finite values encoding in `format` saturates. One pass; pure.
[[nodiscard]] std::int64_t count_saturated(Values values, HalfFormat format);

}  // namespace convoy::compress
