// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/top_k_codec.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

#include "base/errors.h"
#include "compress/codec/internal/magnitude.h"
#include "compress/codec/internal/payload_header.h"
#include "compress/codec/internal/scaled_half.h"
#include "compress/codec/internal/top_k_histogram.h"
#include "compress/codec/internal/top_k_indices.h"
#include "compress/codec/internal/top_k_select.h"

namespace convoy::compress {
namespace {

using internal::IndexFormat;
using internal::PayloadHeader;
using internal::ScaledHalf;

constexpr char kTag = 'K';
/// After the common header: how many values there are.
constexpr std::size_t kCountOffset = PayloadHeader::kBytes;
constexpr std::size_t kValuesOffset = kCountOffset + sizeof(std::uint64_t);

std::int64_t count_kept(std::int64_t numel, Level density) {
  if (numel == 0) return 0;
  const double wanted = std::ceil(density.value() * static_cast<double>(numel));
  return std::clamp(static_cast<std::int64_t>(wanted), std::int64_t{1}, numel);
}

std::size_t value_bytes(TopKValues wire) {
  return wire == TopKValues::kFloat16 ? sizeof(Half) : sizeof(float);
}

std::size_t bytes_without_indices(TopKValues wire, std::int64_t k) {
  return kValuesOffset + value_bytes(wire) * static_cast<std::size_t>(k);
}

float as_float(float value) { return value; }
template <typename T>
float as_float(T value) {
  return to_float(value);
}

/// Writes the values at `indices` and returns the exponent of their scale.
template <typename T>
int write_values(std::span<const T> values, std::span<const std::int64_t> indices, TopKValues wire,
                 std::byte* out) {
  const auto at = [&](std::int64_t index) {
    return as_float(values[static_cast<std::size_t>(index)]);
  };
  if (wire == TopKValues::kFloat32) {
    for (std::size_t i = 0; i < indices.size(); ++i) {
      internal::store(at(indices[i]), out + i * sizeof(float));
    }
    return 0;
  }
  std::uint32_t largest = 0;
  for (const std::int64_t index : indices) largest = std::max(largest, internal::key_of(at(index)));
  const ScaledHalf half = ScaledHalf::for_largest(largest);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    internal::store(half.narrow(at(indices[i])), out + i * sizeof(Half));
  }
  return half.exponent();
}

template <typename T>
std::size_t encode_values(std::span<const T> values, std::int64_t k, TopKValues wire,
                          std::span<std::byte> out) {
  const auto numel = static_cast<std::int64_t>(values.size());
  const std::vector<std::int64_t> indices = internal::select_largest(values, k);
  const internal::IndexSize size = internal::smallest_format(indices, numel);
  const int exponent = write_values(values, indices, wire, out.data() + kValuesOffset);
  internal::write_header(
      {kTag, static_cast<std::uint8_t>(size.format), static_cast<std::uint8_t>(wire),
       static_cast<std::uint32_t>(exponent), static_cast<std::uint64_t>(numel)},
      out);
  internal::store(static_cast<std::uint64_t>(k), &out[kCountOffset]);
  const std::size_t first = bytes_without_indices(wire, k);
  internal::write_indices(indices, size.format, out.subspan(first, size.bytes));
  return first + size.bytes;
}

/// A payload whose header and indices have been checked.
struct Sparse {
  std::vector<std::int64_t> indices;
  TopKValues wire = TopKValues::kFloat32;
  ScaledHalf half{0};
  const std::byte* values = nullptr;

  [[nodiscard]] float value(std::size_t i) const {
    if (wire == TopKValues::kFloat32) return internal::load<float>(values + i * sizeof(float));
    return half.widen(internal::load<Half>(values + i * sizeof(Half)));
  }
};

[[noreturn]] void fail(const std::string& message) {
  throw PayloadError("top_k payload: " + message);
}

std::int64_t read_count(std::span<const std::byte> payload, TopKValues wire, std::size_t numel) {
  if (payload.size() < kValuesOffset) {
    fail(fmt::format("{} bytes, shorter than its header of {}", payload.size(), kValuesOffset));
  }
  const auto k = internal::load<std::uint64_t>(&payload[kCountOffset]);
  if (k > numel || (k == 0 && numel > 0)) fail(fmt::format("{} of {} values", k, numel));
  if (k > (payload.size() - kValuesOffset) / value_bytes(wire)) {
    fail(fmt::format("{} bytes are too few for {} values", payload.size(), k));
  }
  return static_cast<std::int64_t>(k);
}

Sparse read_payload(std::span<const std::byte> payload, std::size_t numel) {
  const PayloadHeader header = internal::read_header(payload, kTag, "top_k", numel);
  if (header.second > static_cast<std::uint8_t>(TopKValues::kFloat16)) {
    fail(fmt::format("value format {}", header.second));
  }
  Sparse sparse;
  sparse.wire = static_cast<TopKValues>(header.second);
  const auto exponent = std::bit_cast<std::int32_t>(header.third);
  if (exponent < -ScaledHalf::kMostExponent || exponent > ScaledHalf::kMostExponent) {
    fail(fmt::format("a scale of 2^{}", exponent));
  }
  sparse.half = ScaledHalf(exponent);
  const std::int64_t k = read_count(payload, sparse.wire, numel);
  sparse.values = payload.data() + kValuesOffset;
  sparse.indices = internal::read_indices(payload.subspan(bytes_without_indices(sparse.wire, k)),
                                          static_cast<IndexFormat>(header.first), k,
                                          static_cast<std::int64_t>(numel));
  return sparse;
}

}  // namespace

void TopKCodec::check_level(Level level) const {
  require(level.value() > 0.0 && level.value() <= 1.0,
          fmt::format("top_k: level {} is no density above 0 and up to 1", to_text(level)));
}

std::size_t TopKCodec::do_max_bytes(std::int64_t numel, Level level) const {
  const std::int64_t k = count_kept(numel, level);
  return bytes_without_indices(config_.values, k) + internal::max_index_bytes(numel, k);
}

std::size_t TopKCodec::do_typical_bytes(std::int64_t numel, Level level) const {
  const std::int64_t k = count_kept(numel, level);
  return bytes_without_indices(config_.values, k) +
         static_cast<std::size_t>(std::llround(internal::typical_index_bytes(numel, k)));
}

std::size_t TopKCodec::do_encode(Values values, Level level, std::uint64_t /*seed*/,
                                 std::span<std::byte> out) const {
  const std::int64_t k = count_kept(numel(values), level);
  return std::visit([&](auto span) { return encode_values(span, k, config_.values, out); }, values);
}

void TopKCodec::do_decode(std::span<const std::byte> payload, std::span<float> out) const {
  const Sparse sparse = read_payload(payload, out.size());
  std::fill(out.begin(), out.end(), 0.0F);
  for (std::size_t i = 0; i < sparse.indices.size(); ++i) {
    out[static_cast<std::size_t>(sparse.indices[i])] = sparse.value(i);
  }
}

void TopKCodec::do_add_decoded(std::span<const std::byte> payload, float scale,
                               std::span<float> out) const {
  const Sparse sparse = read_payload(payload, out.size());
  for (std::size_t i = 0; i < sparse.indices.size(); ++i) {
    out[static_cast<std::size_t>(sparse.indices[i])] += scale * sparse.value(i);
  }
}

std::vector<LevelCost> TopKCodec::do_levels(std::span<const float> values,
                                            std::span<const Level> candidates) const {
  const internal::MagnitudeHistogram histogram(values, config_.values == TopKValues::kFloat16);
  const auto numel = static_cast<std::int64_t>(values.size());
  std::vector<LevelCost> costs;
  for (const Level level : candidates) {
    costs.push_back({level, static_cast<double>(typical_bytes(numel, level)),
                     histogram.error(count_kept(numel, level))});
  }
  return costs;
}

}  // namespace convoy::compress
