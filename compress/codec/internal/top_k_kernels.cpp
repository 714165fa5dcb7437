// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/internal/top_k_kernels.h"

#include <cstddef>
#include <limits>

// Compiles what follows once for every SIMD target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compress/codec/internal/top_k_kernels.cpp"
#include <hwy/foreach_target.h>
// clang-format off: after foreach_target.h
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace convoy::compress::internal::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Values as signed integers: without their sign bits all are positive. At most 64 lanes: marks are
// written word by word.
using Keys32 = hn::CappedTag<std::int32_t, 64>;
using Keys16 = hn::CappedTag<std::int16_t, 64>;

HWY_INLINE hn::Vec<Keys32> load(Keys32 tag, const float* from) {
  return hn::BitCast(tag, hn::LoadU(hn::RebindToFloat<Keys32>(), from));
}

HWY_INLINE hn::Vec<Keys16> load(Keys16 tag, const std::uint16_t* from) {
  return hn::BitCast(tag, hn::LoadU(hn::RebindToUnsigned<Keys16>(), from));
}

/// Writes one bit for each lane, at least one byte.
template <class Tag, typename T>
HWY_INLINE void mark_vector(Tag tag, const T* from, hn::Vec<Tag> below, std::uint8_t* to) {
  const auto magnitude = hn::Set(tag, std::numeric_limits<hn::TFromD<Tag>>::max());
  hn::StoreMaskBits(tag, hn::Gt(hn::And(load(tag, from), magnitude), below), to);
}

template <class Tag, typename T>
void mark(Tag tag, const T* values, std::int64_t words, hn::TFromD<Tag> threshold,
          std::uint64_t* marks) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(tag));
  // Highway 1.0 compares integers with > only.
  const auto below = hn::Set(tag, static_cast<hn::TFromD<Tag>>(threshold - 1));
  auto* bytes = reinterpret_cast<std::uint8_t*>(marks);
  const std::int64_t count = 64 * words;
  if (lanes >= 8) {
    for (std::int64_t i = 0; i < count; i += lanes) {
      mark_vector(tag, values + i, below, bytes + i / 8);
    }
    return;
  }
  for (std::int64_t i = 0; i < count; i += 8) {  // several vectors share a byte
    int byte = 0;
    for (std::int64_t lane = 0; lane < 8; lane += lanes) {
      std::uint8_t part = 0;
      mark_vector(tag, values + i + lane, below, &part);
      byte |= part << lane;
    }
    bytes[i / 8] = static_cast<std::uint8_t>(byte);
  }
}

void mark_floats(const float* values, std::int64_t words, std::int32_t threshold,
                 std::uint64_t* marks) {
  mark(Keys32(), values, words, threshold, marks);
}

void mark_words(const std::uint16_t* values, std::int64_t words, std::int16_t threshold,
                std::uint64_t* marks) {
  mark(Keys16(), values, words, threshold, marks);
}

}  // namespace
}  // namespace convoy::compress::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convoy::compress::internal {
namespace {
HWY_EXPORT(mark_floats);
HWY_EXPORT(mark_words);

void mark_16_bits(const std::uint16_t* values, std::int64_t words, std::uint32_t threshold,
                  std::uint64_t* marks) {
  const auto least = static_cast<std::int16_t>(threshold >> 16);
  HWY_DYNAMIC_DISPATCH(mark_words)(values, words, least, marks);
}

}  // namespace

void mark_at_least(const float* values, std::int64_t words, std::uint32_t threshold,
                   std::uint64_t* marks) {
  HWY_DYNAMIC_DISPATCH(mark_floats)(values, words, static_cast<std::int32_t>(threshold), marks);
}

void mark_at_least(const Half* values, std::int64_t words, std::uint32_t threshold,
                   std::uint64_t* marks) {
  mark_16_bits(&values->bits, words, threshold, marks);
}

void mark_at_least(const BFloat16* values, std::int64_t words, std::uint32_t threshold,
                   std::uint64_t* marks) {
  mark_16_bits(&values->bits, words, threshold, marks);
}

}  // namespace convoy::compress::internal
#endif
