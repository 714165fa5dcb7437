// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "compress/codec/internal/top_k_histogram.h"
#include "compress/codec/top_k_codec.h"
#include "compress/cuda/device_codec.h"
#include "compress/cuda/internal/top_k_bins.h"
#include "compress/cuda/internal/top_k_encoder.h"
#include "compress/cuda/internal/top_k_scatter.h"

namespace convoy::compress::cuda {

/// TopKCodec by the kernels of a Runner (runner_steps.h).
template <typename Runner>
class TopKOn : public DeviceCodec {
 public:
  TopKOn(TopKConfig config, Runner runner)
      : config_(config), host_(config), runner_(std::move(runner)), encoder_(config.values) {}
  [[nodiscard]] const Codec& on_host() const override { return host_; }

 private:
  std::size_t do_encode(DeviceValues values, Level level, std::uint64_t /*seed*/,
                        DeviceSpan<std::byte> out) override {
    return std::visit(
        [&](auto span) {
          return encoder_.encode(runner_, span, math::count_kept(span.size(), level), out);
        },
        values);
  }

  void do_decode(DeviceSpan<const std::byte> payload, DeviceSpan<float> out) override {
    const math::TopKHeader header = read_header(payload, out.size());
    runner_.fill_zero(out);
    scatter(payload, header, Sink{}, out);
  }

  void do_add_decoded(DeviceSpan<const std::byte> payload, float scale,
                      DeviceSpan<float> out) override {
    scatter(payload, read_header(payload, out.size()), Sink{true, scale}, out);
  }

  math::TopKHeader read_header(DeviceSpan<const std::byte> payload, std::int64_t numel) {
    return math::read_top_k_header(read_front(runner_, payload, math::kTopKValuesOffset),
                                   static_cast<std::size_t>(payload.size()),
                                   static_cast<std::size_t>(numel));
  }

  void scatter(DeviceSpan<const std::byte> payload, const math::TopKHeader& header, Sink sink,
               DeviceSpan<float> out) {
    const auto from = static_cast<std::int64_t>(math::kTopKValuesOffset);
    const auto end = static_cast<std::int64_t>(math::bytes_without_indices(header.wire, header.k));
    const DeviceSpan<std::uint32_t> bad = bad_.at_least(1);
    runner_.fill_zero(bad);
    const Scatter to{
        payload.part(from, end - from), header.k, header.wire, header.exponent, sink, out, bad};
    const bool read = launch(header, payload.part(end, payload.size() - end), to);
    if (!read || runner_.to_host(bad).front() != 0) {
      throw_as_host(runner_, host_, payload, out.size());
    }
  }

  /// False where `indices` cannot be of the form that the header says.
  bool launch(const math::TopKHeader& header, DeviceSpan<const std::byte> indices,
              const Scatter& to) {
    switch (header.format) {
      case math::IndexFormat::kGaps8:
        return launch_tiles(GapWords<std::uint8_t>{indices, to}, header.k);
      case math::IndexFormat::kGaps16:
        return indices.size() % 2 == 0 &&
               launch_tiles(GapWords<std::uint16_t>{indices, to}, header.k);
      case math::IndexFormat::kBitmap:
        return indices.size() == (header.numel + 7) / 8 &&
               launch_tiles(BitmapBytes{indices, to}, header.k);
      case math::IndexFormat::kAbsolute:
        if (indices.size() != header.k * static_cast<std::int64_t>(sizeof(std::uint32_t))) {
          return false;
        }
        runner_.launch(ScatterAbsolute{indices, to}, blocks_for(header.k, kThreads), kThreads);
        return true;
    }
    return false;
  }

  /// False where there is nothing to read and should be.
  template <typename Source>
  bool launch_tiles(const Source& source, std::int64_t k) {
    if (source.size() == 0) return k == 0;
    const auto tiles = tiles_.at_least(blocks_for(source.size(), kTile) + 1);
    count_and_scan(runner_, source, tiles);
    write_tiles(runner_, source, tiles);
    return true;
  }

  std::vector<double> do_errors(DeviceSpan<const float> values,
                                std::span<const Level> candidates) override {
    const auto bins = bins_.at_least(static_cast<std::int64_t>(math::kBins));
    runner_.fill_zero(bins);
    const bool as_half = config_.values == TopKValues::kFloat16;
    const auto largest = encoder_.largest_key(runner_, values);
    runner_.launch(CountBins{values, as_half, largest, bins}, blocks_for(values.size(), kThreads),
                   kThreads);
    const math::MagnitudeHistogram histogram(values.size(), runner_.to_host(bins));
    std::vector<double> errors;
    for (const Level level : candidates) {
      errors.push_back(histogram.error(math::count_kept(values.size(), level)));
    }
    return errors;
  }

  TopKConfig config_;
  TopKCodec host_;
  Runner runner_;
  TopKEncoder<Runner> encoder_;
  typename Runner::template Buffer<std::uint32_t> bad_;
  typename Runner::template Buffer<Pair> tiles_;
  typename Runner::template Buffer<math::MagnitudeBin> bins_;
};

}  // namespace convoy::compress::cuda
