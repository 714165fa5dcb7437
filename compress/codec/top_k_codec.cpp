// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/top_k_codec.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

#include "base/errors.h"
#include "compress/codec/internal/elementwise.h"
#include "compress/codec/internal/magnitude.h"
#include "compress/codec/internal/scaled_half.h"
#include "compress/codec/internal/top_k_histogram.h"
#include "compress/codec/internal/top_k_indices.h"
#include "compress/codec/internal/top_k_layout.h"
#include "compress/codec/internal/top_k_select.h"

namespace convoy::compress {
namespace {

using internal::bytes_without_indices;
using internal::count_kept;
using internal::ScaledHalf;

/// Writes the values at `indices` and returns the exponent of their scale.
template <typename T>
int write_values(std::span<const T> values, std::span<const std::int64_t> indices, TopKValues wire,
                 std::byte* out) {
  const auto at = [&](std::int64_t index) {
    return internal::as_float(values[static_cast<std::size_t>(index)]);
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
  const int exponent =
      write_values(values, indices, wire, out.data() + internal::kTopKValuesOffset);
  internal::write_top_k_header({size.format, wire, exponent, numel, k}, out);
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

Sparse read_payload(std::span<const std::byte> payload, std::size_t numel) {
  const internal::TopKHeader header = internal::read_top_k_header(payload, payload.size(), numel);
  const auto indices = payload.subspan(bytes_without_indices(header.wire, header.k));
  return {internal::read_indices(indices, header.format, header.k, header.numel), header.wire,
          ScaledHalf(header.exponent), payload.data() + internal::kTopKValuesOffset};
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
    internal::add_scaled(out[static_cast<std::size_t>(sparse.indices[i])], scale, sparse.value(i));
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
