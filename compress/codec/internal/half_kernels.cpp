// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/internal/half_kernels.h"

#include "base/half.h"
#include "compress/codec/internal/half_wire.h"
#include "compress/codec/internal/payload_header.h"

// Compiles what follows once for every SIMD target. The loops are plain: the conversions of
// base/half.h have no branches, and the compiler vectorises them. Highway's own conversions do not
// round alike on all targets.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compress/codec/internal/half_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace convoy::compress::internal::HWY_NAMESPACE {
namespace {

template <typename T>
void to_wire(const float* HWY_RESTRICT values, std::size_t count, std::byte* HWY_RESTRICT wire) {
  for (std::size_t i = 0; i < count; ++i) store(to_wire_bits<T>(values[i]), wire + 2 * i);
}

template <typename T>
HWY_INLINE float value_at(const std::byte* wire, std::size_t index) {
  return to_float(T{load<std::uint16_t>(wire + 2 * index)});
}

template <typename T>
void from_wire(const std::byte* HWY_RESTRICT wire, std::size_t count, float* HWY_RESTRICT out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = value_at<T>(wire, i);
}

template <typename T>
void add_from_wire(const std::byte* HWY_RESTRICT wire, std::size_t count, float scale,
                   float* HWY_RESTRICT out) {
  for (std::size_t i = 0; i < count; ++i) out[i] += scale * value_at<T>(wire, i);
}

template <typename T>
std::int64_t count_saturated_values(const float* values, std::size_t count) {
  std::int64_t saturated = 0;
  for (std::size_t i = 0; i < count; ++i) saturated += saturates<T>(values[i]);
  return saturated;
}

template <typename T>
constexpr HalfKernels kKernelsOf{to_wire<T>, from_wire<T>, add_from_wire<T>,
                                 count_saturated_values<T>};

const HalfKernels* kernels(HalfFormat format) {
  return format == HalfFormat::kFloat16 ? &kKernelsOf<Half> : &kKernelsOf<BFloat16>;
}

}  // namespace
}  // namespace convoy::compress::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convoy::compress::internal {
HWY_EXPORT(kernels);
const HalfKernels& half_kernels(HalfFormat format) {
  return *HWY_DYNAMIC_DISPATCH(kernels)(format);
}
}  // namespace convoy::compress::internal
#endif
