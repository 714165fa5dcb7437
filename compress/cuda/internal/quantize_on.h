// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "compress/codec/quantize_codec.h"
#include "compress/cuda/device_codec.h"
#include "compress/cuda/internal/quantize_decode.h"
#include "compress/cuda/internal/quantize_encode.h"
#include "compress/cuda/internal/quantize_errors.h"
#include "compress/cuda/internal/runner_steps.h"

namespace convoy::compress::cuda {

/// QuantizeCodec by the kernels of a Runner (runner_steps.h).
template <typename Runner>
class QuantizeOn : public DeviceCodec {
 public:
  QuantizeOn(QuantizeConfig config, Runner runner)
      : config_(config), host_(config), runner_(std::move(runner)) {}
  [[nodiscard]] const Codec& on_host() const override { return host_; }

 private:
  using Layout = math::QuantizeLayout;

  std::size_t do_encode(DeviceValues values, Level level, std::uint64_t seed,
                        DeviceSpan<std::byte> out) override {
    const auto numel = std::visit([](auto span) { return span.size(); }, values);
    const Layout layout{static_cast<std::size_t>(numel), static_cast<std::size_t>(config_.group),
                        static_cast<int>(level.value())};
    std::vector<std::byte> header(math::PayloadHeader::kBytes);
    math::write_quantize_header(layout, config_.rounding, header);
    store_front(runner_, header, out);
    std::visit([&](auto span) { launch_encode(span, layout, seed, out); }, values);
    return layout.bytes();
  }

  template <typename T>
  void launch_encode(DeviceSpan<const T> values, const Layout& layout, std::uint64_t seed,
                     DeviceSpan<std::byte> out) {
    // A thread writes eight codes at a time; whole warps of 32.
    const auto threads = std::clamp((config_.group / 8 + 31) / 32 * 32, std::int64_t{32},
                                    std::int64_t{kRangeThreads});
    runner_.launch(EncodeGroups<T>{values, layout, config_.rounding, seed, out}, groups_of(layout),
                   static_cast<int>(threads));
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
    const Layout layout = math::read_quantize_layout(
        front, static_cast<std::size_t>(payload.size()), static_cast<std::size_t>(out.size()));
    const DeviceSpan<std::uint32_t> bad = bad_.at_least(1);
    runner_.fill_zero(bad);
    runner_.launch(DecodeGroups{payload, layout, sink, out, bad}, groups_of(layout), kThreads);
    if (runner_.to_host(bad).front() != 0) throw_as_host(runner_, host_, payload, out.size());
  }

  std::vector<double> do_errors(DeviceSpan<const float> values,
                                std::span<const Level> candidates) override {
    const std::int64_t groups = (values.size() + config_.group - 1) / config_.group;
    const auto errors = errors_.at_least(groups * math::kMostBits);
    const auto totals = totals_.at_least(math::kMostBits);
    runner_.launch(GroupErrors{values, config_.group, config_.rounding, groups, errors}, groups,
                   kErrorThreads);
    runner_.launch(SumErrors{errors, groups, totals}, 1, math::kMostBits);
    const std::vector<double> by_width = runner_.to_host(totals);
    std::vector<double> chosen;
    for (const Level level : candidates) {
      chosen.push_back(by_width[static_cast<std::size_t>(level.value()) - 1]);
    }
    return chosen;
  }

  static std::int64_t groups_of(const Layout& layout) {
    return static_cast<std::int64_t>(layout.groups());
  }

  QuantizeConfig config_;
  QuantizeCodec host_;
  Runner runner_;
  typename Runner::template Buffer<std::uint32_t> bad_;
  typename Runner::template Buffer<double> errors_;
  typename Runner::template Buffer<double> totals_;
};

}  // namespace convoy::compress::cuda
