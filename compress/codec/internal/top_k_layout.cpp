// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/internal/top_k_layout.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "compress/codec/internal/scaled_half.h"

namespace convoy::compress::internal {
namespace {

constexpr char kTag = 'K';

[[noreturn]] void fail(const std::string& message) {
  throw PayloadError("top_k payload: " + message);
}

std::size_t value_bytes(TopKValues wire) {
  return wire == TopKValues::kFloat16 ? sizeof(Half) : sizeof(float);
}

std::int64_t read_count(std::span<const std::byte> start, std::size_t payload_bytes,
                        TopKValues wire, std::size_t numel) {
  if (payload_bytes < kTopKValuesOffset) {
    fail(fmt::format("{} bytes, shorter than its header of {}", payload_bytes, kTopKValuesOffset));
  }
  const auto k = load<std::uint64_t>(&start[kTopKCountOffset]);
  if (k > numel || (k == 0 && numel > 0)) fail(fmt::format("{} of {} values", k, numel));
  if (k > (payload_bytes - kTopKValuesOffset) / value_bytes(wire)) {
    fail(fmt::format("{} bytes are too few for {} values", payload_bytes, k));
  }
  return static_cast<std::int64_t>(k);
}

}  // namespace

std::int64_t count_kept(std::int64_t numel, Level density) {
  if (numel == 0) return 0;
  const double wanted = std::ceil(density.value() * static_cast<double>(numel));
  return std::clamp(static_cast<std::int64_t>(wanted), std::int64_t{1}, numel);
}

std::size_t bytes_without_indices(TopKValues wire, std::int64_t k) {
  return kTopKValuesOffset + value_bytes(wire) * static_cast<std::size_t>(k);
}

void write_top_k_header(const TopKHeader& header, std::span<std::byte> out) {
  write_header(
      {kTag, static_cast<std::uint8_t>(header.format), static_cast<std::uint8_t>(header.wire),
       static_cast<std::uint32_t>(header.exponent), static_cast<std::uint64_t>(header.numel)},
      out);
  store(static_cast<std::uint64_t>(header.k), &out[kTopKCountOffset]);
}

TopKHeader read_top_k_header(std::span<const std::byte> start, std::size_t payload_bytes,
                             std::size_t numel) {
  const PayloadHeader header = read_header(start, kTag, "top_k", numel);
  if (header.second > static_cast<std::uint8_t>(TopKValues::kFloat16)) {
    fail(fmt::format("value format {}", header.second));
  }
  const auto exponent = std::bit_cast<std::int32_t>(header.third);
  if (exponent < -ScaledHalf::kMostExponent || exponent > ScaledHalf::kMostExponent) {
    fail(fmt::format("a scale of 2^{}", exponent));
  }
  const auto wire = static_cast<TopKValues>(header.second);
  return {static_cast<IndexFormat>(header.first), wire, exponent, static_cast<std::int64_t>(numel),
          read_count(start, payload_bytes, wire, numel)};
}

}  // namespace convoy::compress::internal
