// SPDX-License-Identifier: Apache-2.0
#include "compress/make_codec.h"

#include "base/errors.h"
#include "compress/codec/half_codec.h"
#include "compress/codec/quantize_codec.h"
#include "compress/codec/top_k_codec.h"

namespace convoy::compress {

std::shared_ptr<const Codec> make_codec(const CompressionConfig& config) {
  if (config.family == "quantize") {
    const auto rounding =
        config.rounding == "stochastic" ? Rounding::kStochastic : Rounding::kNearest;
    return std::make_shared<QuantizeCodec>(
        QuantizeConfig{.group = config.group, .rounding = rounding});
  }
  if (config.family == "half") {
    const auto format =
        config.half_type == "bfloat16" ? HalfFormat::kBFloat16 : HalfFormat::kFloat16;
    return std::make_shared<HalfCodec>(HalfConfig{.format = format});
  }
  require(config.family == "top_k", "make_codec: family " + config.family + " has no codec");
  const auto values = config.values == "float16" ? TopKValues::kFloat16 : TopKValues::kFloat32;
  return std::make_shared<TopKCodec>(TopKConfig{.values = values});
}

}  // namespace convoy::compress
