// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/internal/quantize_kernels.h"

#include <algorithm>
#include <numeric>

#include "compress/codec/internal/grid_float.h"

// Compiles what follows once for every SIMD target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compress/codec/internal/quantize_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace convoy::compress::internal::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// At most 16 lanes: four vectors divide a block, however wide the CPU.
using Floats = hn::CappedTag<float, 16>;
using Ints = hn::RebindToSigned<Floats>;
using Words = hn::RebindToUnsigned<Floats>;
using Codes = hn::Rebind<std::uint8_t, Floats>;
using FloatVector = hn::Vec<Floats>;

HWY_INLINE FloatVector broadcast(float value) { return hn::Set(Floats(), value); }

HWY_INLINE FloatVector reciprocal(float step) {
  return broadcast(inverse_step(step));
}

HWY_INLINE FloatVector place_of(FloatVector values, FloatVector min, FloatVector inverse) {
  return hn::Mul(hn::Sub(values, min), inverse);
}

HWY_INLINE FloatVector value_of(FloatVector codes, FloatVector min, FloatVector step) {
  return hn::Add(min, hn::Mul(step, codes));
}

Range find_range(const float* HWY_RESTRICT values, std::size_t count) {
  const Floats d;
  const Ints di;
  const std::size_t lanes = hn::Lanes(d);
  const auto magnitude = hn::Set(di, 0x7fffffff);
  auto lo = hn::LoadU(d, values);
  auto hi = lo;
  auto largest = hn::Zero(di);
  // Four vectors at a time, joined as a tree: one after the other each would wait for the last.
  for (std::size_t i = 0; i < count; i += 4 * lanes) {
    const auto a = hn::LoadU(d, values + i);
    const auto b = hn::LoadU(d, values + i + lanes);
    const auto c = hn::LoadU(d, values + i + 2 * lanes);
    const auto e = hn::LoadU(d, values + i + 3 * lanes);
    lo = hn::Min(lo, hn::Min(hn::Min(a, b), hn::Min(c, e)));
    hi = hn::Max(hi, hn::Max(hn::Max(a, b), hn::Max(c, e)));
    // As integers the magnitudes of floats keep their order, NaN above infinity above the rest.
    const auto ab =
        hn::Max(hn::And(hn::BitCast(di, a), magnitude), hn::And(hn::BitCast(di, b), magnitude));
    const auto ce =
        hn::Max(hn::And(hn::BitCast(di, c), magnitude), hn::And(hn::BitCast(di, e), magnitude));
    largest = hn::Max(largest, hn::Max(ab, ce));
  }
  return {hn::GetLane(hn::MinOfLanes(d, lo)), hn::GetLane(hn::MaxOfLanes(d, hi)),
          hn::GetLane(hn::MaxOfLanes(di, largest)) < 0x7f800000};
}

void nearest_codes(const float* HWY_RESTRICT values, std::size_t count, const Grid& grid,
                   std::uint8_t* HWY_RESTRICT codes) {
  const Floats d;
  const auto min = broadcast(grid.min);
  const auto inverse = reciprocal(grid.step);
  const auto rounder = broadcast(kRounder);
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto place = place_of(hn::LoadU(d, values + i), min, inverse);
    const auto rounded = hn::BitCast(Words(), hn::Add(place, rounder));
    hn::StoreU(hn::TruncateTo(Codes(), rounded), Codes(), codes + i);
  }
}

/// random_at() of grid.h from its counter, key.low + index * kCounterStep.
HWY_INLINE hn::Vec<Words> random_from(hn::Vec<Words> counter, hn::Vec<Words> key_high) {
  const Words d;
  auto x = counter;
  x = hn::Mul(hn::Xor(x, hn::ShiftRight<16>(x)), hn::Set(d, kMixFirst));
  x = hn::Xor(x, key_high);
  x = hn::Mul(hn::Xor(x, hn::ShiftRight<15>(x)), hn::Set(d, kMixSecond));
  return hn::ShiftRight<32 - kRandomBits>(hn::Xor(x, hn::ShiftRight<16>(x)));
}

/// A place on the grid in units of 2^-kRandomBits steps.
HWY_INLINE hn::Vec<Ints> fixed_place(FloatVector place, int limit) {
  const auto scaled = hn::Mul(place, broadcast(kRandomUnits));
  return hn::Min(hn::ConvertTo(Ints(), scaled), hn::Set(Ints(), limit << kRandomBits));
}

void stochastic_codes(const float* HWY_RESTRICT values, std::size_t count, const Grid& grid,
                      GroupKey key, std::uint8_t* HWY_RESTRICT codes) {
  const Floats d;
  const Words dw;
  const int limit = grid.limit;
  const auto min = broadcast(grid.min);
  const auto inverse = reciprocal(grid.step);
  const auto key_high = hn::Set(dw, key.high);
  const auto lanes = static_cast<std::uint32_t>(hn::Lanes(d));
  const auto stride = hn::Set(dw, kCounterStep * lanes);
  auto counter = hn::Mul(hn::Iota(dw, 0U), hn::Set(dw, kCounterStep));
  counter = hn::Add(counter, hn::Set(dw, key.low));
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto place = fixed_place(place_of(hn::LoadU(d, values + i), min, inverse), limit);
    const auto random = random_from(counter, key_high);
    const auto code = hn::ShiftRight<kRandomBits>(hn::Add(hn::BitCast(dw, place), random));
    hn::StoreU(hn::TruncateTo(Codes(), code), Codes(), codes + i);
    counter = hn::Add(counter, stride);
  }
}

HWY_INLINE FloatVector load_codes(const std::uint8_t* codes) {
  return hn::ConvertTo(Floats(), hn::PromoteTo(Ints(), hn::LoadU(Codes(), codes)));
}

void values_of(const std::uint8_t* HWY_RESTRICT codes, std::size_t count, const Grid& grid,
               float* HWY_RESTRICT out) {
  const Floats d;
  const auto min = broadcast(grid.min);
  const auto step = broadcast(grid.step);
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    hn::StoreU(value_of(load_codes(codes + i), min, step), d, out + i);
  }
}

void add_values_of(const std::uint8_t* HWY_RESTRICT codes, std::size_t count, const Grid& grid,
                   float scale, float* HWY_RESTRICT out) {
  const Floats d;
  const auto min = broadcast(grid.min);
  const auto step = broadcast(grid.step);
  const auto factor = broadcast(scale);
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto scaled = hn::Mul(factor, value_of(load_codes(codes + i), min, step));
    hn::StoreU(hn::Add(hn::LoadU(d, out + i), scaled), d, out + i);
  }
}

/// Sums float64 squares of floats in 16 fixed places, whatever the number of lanes.
class SquareSum {
 public:
  /// Adds weight[i] * value[i]^2. Both hold kPlaces.
  void add(const float* values, const float* weights) {
    const hn::CappedTag<double, kPlaces> d;
    const hn::Rebind<float, decltype(d)> df;
    for (std::size_t i = 0; i < kPlaces; i += hn::Lanes(d)) {
      const auto value = hn::PromoteTo(d, hn::Load(df, values + i));
      const auto weight = hn::PromoteTo(d, hn::Load(df, weights + i));
      const auto square = hn::Mul(weight, hn::Mul(value, value));
      hn::Store(hn::Add(hn::Load(d, sums_ + i), square), d, sums_ + i);
    }
  }
  double total() const { return std::accumulate(sums_, sums_ + kPlaces, 0.0); }

  static constexpr std::size_t kPlaces = 16;

 private:
  alignas(128) double sums_[kPlaces] = {};
};

double nearest_error(const float* HWY_RESTRICT values, std::size_t count, const Grid& grid) {
  const Floats d;
  const auto min = broadcast(grid.min);
  const auto inverse = reciprocal(grid.step);
  const auto step = broadcast(grid.step);
  const auto rounder = broadcast(kRounder);
  alignas(64) float errors[SquareSum::kPlaces];
  alignas(64) float ones[SquareSum::kPlaces];
  std::fill(ones, ones + SquareSum::kPlaces, 1.0F);
  SquareSum sum;
  for (std::size_t i = 0; i < count; i += SquareSum::kPlaces) {
    for (std::size_t j = 0; j < SquareSum::kPlaces; j += hn::Lanes(d)) {
      const auto value = hn::LoadU(d, values + i + j);
      const auto code = hn::Sub(hn::Add(place_of(value, min, inverse), rounder), rounder);
      hn::Store(hn::Sub(value, value_of(code, min, step)), d, errors + j);
    }
    sum.add(errors, ones);
  }
  return sum.total();
}

double stochastic_error(const float* HWY_RESTRICT values, std::size_t count, const Grid& grid) {
  const Floats d;
  const auto min = broadcast(grid.min);
  const auto inverse = reciprocal(grid.step);
  const auto step = broadcast(grid.step);
  const auto unit = broadcast(1.0F / kRandomUnits);
  const auto limit = broadcast(static_cast<float>(grid.limit));
  alignas(64) float below[SquareSum::kPlaces];
  alignas(64) float above[SquareSum::kPlaces];
  alignas(64) float down[SquareSum::kPlaces];
  alignas(64) float up[SquareSum::kPlaces];
  SquareSum sum;
  for (std::size_t i = 0; i < count; i += SquareSum::kPlaces) {
    for (std::size_t j = 0; j < SquareSum::kPlaces; j += hn::Lanes(d)) {
      const auto value = hn::LoadU(d, values + i + j);
      const auto place = fixed_place(place_of(value, min, inverse), grid.limit);
      const auto code = hn::ShiftRight<kRandomBits>(place);
      const auto rest = hn::Sub(place, hn::ShiftLeft<kRandomBits>(code));
      const auto fraction = hn::Mul(hn::ConvertTo(d, rest), unit);
      const auto one = broadcast(1.0F);
      const auto floor = hn::ConvertTo(d, code);
      const auto ceiling = hn::Min(hn::Add(floor, one), limit);
      hn::Store(hn::Sub(value, value_of(floor, min, step)), d, below + j);
      hn::Store(hn::Sub(value, value_of(ceiling, min, step)), d, above + j);
      hn::Store(hn::Sub(one, fraction), d, down + j);
      hn::Store(fraction, d, up + j);
    }
    sum.add(below, down);
    sum.add(above, up);
  }
  return sum.total();
}

const QuantizeKernels* kernels() {
  static constexpr QuantizeKernels kKernels{find_range,      nearest_codes, stochastic_codes,
                                            values_of,       add_values_of, nearest_error,
                                            stochastic_error};
  return &kKernels;
}

}  // namespace
}  // namespace convoy::compress::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convoy::compress::internal {
HWY_EXPORT(kernels);
const QuantizeKernels& quantize_kernels() { return *HWY_DYNAMIC_DISPATCH(kernels)(); }
}  // namespace convoy::compress::internal
#endif
