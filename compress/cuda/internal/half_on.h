// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "compress/codec/internal/payload_header.h"
#include "compress/cuda/device_codec.h"
#include "compress/cuda/internal/half_kernels.h"
#include "compress/cuda/internal/runner_steps.h"

namespace convoy::compress::cuda {

/// HalfCodec by the kernels of a Runner (runner_steps.h).
template <typename Runner>
class HalfOn : public DeviceCodec {
 public:
  HalfOn(HalfConfig config, Runner runner)
      : config_(config), host_(config), runner_(std::move(runner)) {}
  [[nodiscard]] const Codec& on_host() const override { return host_; }

 private:
  static constexpr auto kHeaderBytes = static_cast<std::int64_t>(math::PayloadHeader::kBytes);

  std::size_t do_encode(DeviceValues values, Level /*level*/, std::uint64_t /*seed*/,
                        DeviceSpan<std::byte> out) override {
    return std::visit([&](auto span) { return encode_span(span, out); }, values);
  }

  template <typename T>
  std::size_t encode_span(DeviceSpan<const T> values, DeviceSpan<std::byte> out) {
    const auto numel = static_cast<std::size_t>(values.size());
    std::vector<std::byte> header(math::PayloadHeader::kBytes);
    math::write_half_header(config_.format, numel, header);
    store_front(runner_, header, out);
    runner_.launch(EncodeHalf<T>{values, config_.format, without_header(out)},
                   blocks_for(values.size(), kThreads), kThreads);
    return math::half_payload_bytes(numel);
  }

  void do_decode(DeviceSpan<const std::byte> payload, DeviceSpan<float> out) override {
    decode_into(payload, Sink{}, out);
  }

  void do_add_decoded(DeviceSpan<const std::byte> payload, float scale,
                      DeviceSpan<float> out) override {
    decode_into(payload, Sink{true, scale}, out);
  }

  void decode_into(DeviceSpan<const std::byte> payload, Sink sink, DeviceSpan<float> out) {
    const auto front = read_front(runner_, payload, math::PayloadHeader::kBytes);
    const HalfFormat format = math::read_half_format(
        front, static_cast<std::size_t>(payload.size()), static_cast<std::size_t>(out.size()));
    runner_.launch(DecodeHalf{without_header(payload), format, sink, out},
                   blocks_for(out.size(), kThreads), kThreads);
  }

  /// By the CPU: the one level leaves a planner nothing to choose, so nobody asks often.
  std::vector<double> do_errors(DeviceSpan<const float> values,
                                std::span<const Level> candidates) override {
    std::vector<double> errors;
    for (const LevelCost& cost : host_.levels(runner_.to_host(values), candidates)) {
      errors.push_back(cost.error);
    }
    return errors;
  }

  template <typename T>
  static DeviceSpan<T> without_header(DeviceSpan<T> payload) {
    return payload.part(kHeaderBytes, payload.size() - kHeaderBytes);
  }

  HalfConfig config_;
  HalfCodec host_;
  Runner runner_;
};

}  // namespace convoy::compress::cuda
