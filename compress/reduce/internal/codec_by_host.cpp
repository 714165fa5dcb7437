// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/codec_by_host.h"

namespace convoy::compress::internal {

std::span<float> CodecByHost::on_host(std::span<const float> values) {
  values_.resize(values.size());
  executor_.copy_out(std::as_bytes(values), std::as_writable_bytes(std::span(values_)));
  return values_;
}

std::span<const std::byte> CodecByHost::on_host(std::span<const std::byte> payload) {
  payload_.resize(payload.size());
  executor_.copy_out(payload, payload_);
  return payload_;
}

std::size_t CodecByHost::encode(std::span<const float> values, Level level, std::uint64_t seed,
                                std::span<std::byte> out) {
  payload_.resize(codec_->max_bytes(std::ssize(values), level));
  const std::span<const float> own = on_host(values);
  const std::size_t bytes = codec_->encode(own, level, seed, payload_);
  executor_.copy_in(std::span(payload_).first(bytes), out.first(bytes));
  return bytes;
}

void CodecByHost::decode(std::span<const std::byte> payload, std::span<float> out) {
  values_.resize(out.size());
  codec_->decode(on_host(payload), values_);
  executor_.copy_in(std::as_bytes(std::span(values_)), std::as_writable_bytes(out));
}

void CodecByHost::add_decoded(std::span<const std::byte> payload, float scale,
                              std::span<float> out) {
  const auto sum = on_host(out);
  codec_->add_decoded(on_host(payload), scale, sum);
  executor_.copy_in(std::as_bytes(sum), std::as_writable_bytes(out));
}

std::vector<LevelCost> CodecByHost::levels(std::span<const float> values,
                                           std::span<const Level> candidates) {
  return codec_->levels(on_host(values), candidates);
}

}  // namespace convoy::compress::internal
