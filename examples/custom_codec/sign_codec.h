// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstring>

#include "base/errors.h"
#include "compress/codec/codec.h"

/// One bit a value: its sign, and for the whole layer the mean magnitude (Karimireddy et al.,
/// arXiv:1901.09847). Payload: float32 scale, then the signs, eight a byte. Its one level is 1.
class SignCodec final : public convoy::compress::Codec {
 public:
  std::string_view family() const override { return "sign"; }
  void check_level(convoy::compress::Level level) const override {
    convoy::require(level.value() == 1.0, "sign has level 1 only");
  }

 private:
  std::size_t do_max_bytes(std::int64_t numel, convoy::compress::Level) const override {
    return sizeof(float) + (static_cast<std::size_t>(numel) + 7) / 8;
  }

  std::size_t do_encode(convoy::compress::Values values, convoy::compress::Level, std::uint64_t,
                        std::span<std::byte> out) const override {
    const auto x = std::get<std::span<const float>>(values);  // reducers pass float32
    double sum = 0.0;
    for (const float value : x) sum += std::abs(static_cast<double>(value));
    const float scale = x.empty() ? 0.0F : static_cast<float>(sum / static_cast<double>(x.size()));
    std::memcpy(out.data(), &scale, sizeof scale);
    const auto signs = out.subspan(sizeof scale);
    std::memset(signs.data(), 0, signs.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (x[i] < 0.0F) signs[i / 8] |= std::byte{1} << (i % 8);
    }
    return out.size();
  }

  void do_decode(std::span<const std::byte> payload, std::span<float> out) const override {
    if (payload.size() != sizeof(float) + (out.size() + 7) / 8) {
      throw convoy::compress::PayloadError("sign: the payload has the wrong size");
    }
    float scale = 0.0F;
    std::memcpy(&scale, payload.data(), sizeof scale);
    const auto signs = payload.subspan(sizeof scale);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const bool negative = (signs[i / 8] & (std::byte{1} << (i % 8))) != std::byte{0};
      out[i] = negative ? -scale : scale;
    }
  }
};
