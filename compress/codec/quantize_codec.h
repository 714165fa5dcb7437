// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compress/codec/codec.h"

namespace convoy::compress {

enum class Rounding {
  kNearest,     ///< ties to even; the smallest error
  kStochastic,  ///< up with the probability of the fraction: right in the mean
};

struct QuantizeConfig {
  /// Values that share one scale, a multiple of 64 up to 2^20. Larger: fewer bytes (a scale takes
  /// 8), larger error.
  std::int64_t group = 512;
  Rounding rounding = Rounding::kNearest;
};

/// Max-min quantisation (in the manner of QSGD, arXiv:1610.02132): the values of a group become
/// codes of `level` bits, 1 to 8, on an even grid from their minimum to their maximum. Layout:
/// docs/codecs.md. A payload has always exactly max_bytes(): reducers rely on it.
///
/// With step = (max - min) / (2^bits - 1) of its group, a decoded value is off by at most step / 2
/// (nearest) or step (stochastic), beyond the rounding of float32: 2^-22 of the larger of |min| and
/// |max|. A group of equal values is exact at every width (-0 becomes 0). A group that holds a NaN
/// or an infinity is decoded as NaN throughout.
///
/// The random numbers of stochastic rounding depend on the seed and on a value's place in the
/// payload: payloads whose errors must be independent (layer, step, rank, chunk) need seeds of
/// their own. The level table states the mean over seeds then; nearest rounding it states exactly.
/// Cost: one pass over the values; levels() one for all candidates.
class QuantizeCodec : public Codec {
 public:
  /// @throws ContractError unless config.group is as it must be.
  explicit QuantizeCodec(QuantizeConfig config = {});
  [[nodiscard]] std::string_view family() const override { return "quantize"; }
  void check_level(Level level) const override;
  [[nodiscard]] const QuantizeConfig& config() const { return config_; }

 private:
  [[nodiscard]] std::size_t do_max_bytes(std::int64_t numel, Level level) const override;
  [[nodiscard]] std::size_t do_encode(Values values, Level level, std::uint64_t seed,
                                      std::span<std::byte> out) const override;
  void do_decode(std::span<const std::byte> payload, std::span<float> out) const override;
  void do_add_decoded(std::span<const std::byte> payload, float scale,
                      std::span<float> out) const override;
  [[nodiscard]] std::vector<LevelCost> do_levels(std::span<const float> values,
                                                 std::span<const Level> candidates) const override;

  QuantizeConfig config_;
};

}  // namespace convoy::compress
