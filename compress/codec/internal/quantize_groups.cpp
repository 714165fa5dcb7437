// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/internal/quantize_groups.h"

#include <algorithm>
#include <cmath>

#include "compress/codec/internal/elementwise.h"
#include "compress/codec/internal/exact_error.h"

namespace convoy::compress::internal {
namespace {

std::size_t padded_count(std::size_t count) { return (count + kBlock - 1) / kBlock * kBlock; }

/// Values in the largest group that a payload has, with padding.
std::size_t buffer_size(const QuantizeLayout& layout) {
  return std::min(layout.group, padded_count(layout.numel));
}

double exact_error(float value, const Grid& grid, Rounding rounding) {
  return rounding == Rounding::kNearest ? exact_nearest_error(value, grid)
                                        : exact_stochastic_error(value, grid);
}

}  // namespace

Range range_of(const GroupView& view) {
  return quantize_kernels().find_range(view.values, view.padded);
}

double squared_error(const GroupView& view, const Grid& grid, Rounding rounding) {
  if (std::isnan(grid.min)) return grid.min;
  if (grid.step == 0.0F) return 0.0;
  if (encodes_in_float(grid)) {
    const QuantizeKernels& kernels = quantize_kernels();
    const auto error =
        rounding == Rounding::kNearest ? kernels.nearest_error : kernels.stochastic_error;
    return error(view.values, view.padded, grid);
  }
  double sum = 0.0;
  for (std::size_t i = 0; i < view.count; ++i) sum += exact_error(view.values[i], grid, rounding);
  return sum;
}

GroupEncoder::GroupEncoder(const QuantizeLayout& layout, Rounding rounding)
    : bits_(layout.bits),
      rounding_(rounding),
      kernels_(quantize_kernels()),
      packing_(bit_pack_kernels(layout.bits)),
      codes_(buffer_size(layout)),
      staging_(packed_bytes(codes_.size(), layout.bits)) {}

void GroupEncoder::fill_codes(const GroupView& view, const Grid& grid, GroupKey key) {
  if (grid.step == 0.0F) {
    std::fill_n(codes_.begin(), view.padded, std::uint8_t{0});
  } else if (encodes_in_float(grid)) {
    if (rounding_ == Rounding::kNearest) {
      kernels_.nearest_codes(view.values, view.padded, grid, codes_.data());
    } else {
      kernels_.stochastic_codes(view.values, view.padded, grid, key, codes_.data());
    }
  } else {
    for (std::size_t i = 0; i < view.count; ++i) {
      codes_[i] = rounding_ == Rounding::kNearest
                      ? exact_nearest_code(view.values[i], grid)
                      : exact_stochastic_code(view.values[i], grid,
                                              random_at(key, static_cast<std::uint32_t>(i)));
    }
  }
  if (view.count < view.padded) {
    std::fill(&codes_[view.count], codes_.data() + view.padded, std::uint8_t{0});
  }
}

void GroupEncoder::encode(const GroupView& view, std::uint64_t key, std::byte* out) {
  const Grid grid = make_grid(kernels_.find_range(view.values, view.padded), limit_of(bits_));
  store(grid.min, out);
  store(grid.step, out + sizeof(float));
  std::byte* const packed = out + QuantizeLayout::kScaleBytes;
  fill_codes(view, grid, {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)});
  if (view.count == view.padded) {
    packing_.pack(codes_.data(), view.padded, packed);
  } else {
    packing_.pack(codes_.data(), view.padded, staging_.data());
    std::copy_n(staging_.data(), packed_bytes(view.count, bits_), packed);
  }
}

GroupDecoder::GroupDecoder(const QuantizeLayout& layout)
    : bits_(layout.bits),
      kernels_(quantize_kernels()),
      packing_(bit_pack_kernels(layout.bits)),
      codes_(buffer_size(layout)),
      staging_(packed_bytes(codes_.size(), layout.bits)),
      values_(codes_.size()) {}

std::size_t GroupDecoder::unpack(const std::byte* packed, std::size_t count) {
  const std::size_t padded = padded_count(count);
  if (count != padded) {
    std::copy_n(packed, packed_bytes(count, bits_), staging_.data());
    packed = staging_.data();
  }
  packing_.unpack(packed, padded, codes_.data());
  return padded;
}

const float* GroupDecoder::stage_values(const Grid& grid, std::size_t padded) {
  if (decodes_in_float(grid)) {
    kernels_.values_of(codes_.data(), padded, grid, values_.data());
  } else {
    std::transform(codes_.begin(), codes_.begin() + static_cast<std::ptrdiff_t>(padded),
                   values_.begin(), [&](std::uint8_t code) { return exact_value(code, grid); });
  }
  return values_.data();
}

void GroupDecoder::decode(const std::byte* packed, const Grid& grid, std::span<float> out) {
  const std::size_t padded = unpack(packed, out.size());
  if (padded == out.size() && decodes_in_float(grid)) {
    kernels_.values_of(codes_.data(), padded, grid, out.data());
  } else {
    std::copy_n(stage_values(grid, padded), out.size(), out.data());
  }
}

void GroupDecoder::add(const std::byte* packed, const Grid& grid, float scale,
                       std::span<float> out) {
  const std::size_t padded = unpack(packed, out.size());
  if (padded == out.size() && decodes_in_float(grid)) {
    kernels_.add_values_of(codes_.data(), padded, grid, scale, out.data());
    return;
  }
  const float* const values = stage_values(grid, padded);
  for (std::size_t i = 0; i < out.size(); ++i) add_scaled(out[i], scale, values[i]);
}

}  // namespace convoy::compress::internal
