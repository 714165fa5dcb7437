// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/internal/bit_pack.h"

#include <cstring>
#include <type_traits>

// Compiles what follows once for every SIMD target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compress/codec/internal/bit_pack.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace convoy::compress::internal::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Eight codes lie in the eight bytes of a 64-bit word. Packing closes the gaps between them in
// three steps: pairs of bytes, then of 16, then of 32 bits. Unpacking opens them again.
constexpr std::size_t kWords = 8;  // of a block of 64 codes
using Words = hn::CappedTag<std::uint64_t, kWords>;
using WordVector = hn::Vec<Words>;

/// In every field of `width` bits the lowest `bits`.
constexpr std::uint64_t field_mask(int width, int bits) {
  std::uint64_t mask = 0;
  for (int at = 0; at < 64; at += width) mask |= ((std::uint64_t{1} << bits) - 1) << at;
  return mask;
}

/// Moves the upper half of each field of kWidth bits down to the kBits that its lower half uses.
template <int kWidth, int kBits>
HWY_INLINE WordVector close_gap(WordVector words) {
  const auto lower = hn::Set(Words(), field_mask(kWidth, kBits));
  const auto upper = hn::Set(Words(), field_mask(kWidth, kBits) << kBits);
  return hn::Or(hn::And(words, lower), hn::And(hn::ShiftRight<kWidth / 2 - kBits>(words), upper));
}

/// The reverse.
template <int kWidth, int kBits>
HWY_INLINE WordVector open_gap(WordVector words) {
  const auto lower = hn::Set(Words(), field_mask(kWidth, kBits));
  const auto upper = hn::Set(Words(), field_mask(kWidth, kBits) << (kWidth / 2));
  return hn::Or(hn::And(words, lower), hn::And(hn::ShiftLeft<kWidth / 2 - kBits>(words), upper));
}

HWY_INLINE WordVector load_words(const std::uint8_t* codes) {
  return hn::LoadU(Words(), reinterpret_cast<const std::uint64_t*>(codes));
}

HWY_INLINE void store_words(WordVector words, std::uint8_t* codes) {
  hn::StoreU(words, Words(), reinterpret_cast<std::uint64_t*>(codes));
}

/// Closes all gaps: eight codes, one after the other, at the lower end of the word.
template <int kBits>
HWY_INLINE WordVector close_gaps(WordVector words) {
  words = close_gap<16, kBits>(words);
  words = close_gap<32, 2 * kBits>(words);
  return close_gap<64, 4 * kBits>(words);
}

template <int kBits>
HWY_INLINE WordVector open_gaps(WordVector words) {
  words = open_gap<64, 4 * kBits>(words);
  words = open_gap<32, 2 * kBits>(words);
  return open_gap<16, kBits>(words);
}

/// Any width: each word ends with kBits bytes at its lower end.
template <int kBits>
void pack_words(const std::uint8_t* HWY_RESTRICT codes, std::size_t count,
                std::byte* HWY_RESTRICT packed) {
  alignas(64) std::uint64_t words[kWords];
  const std::byte* const end = packed + count / 8 * kBits;
  for (std::size_t i = 0; i < count; i += 8 * kWords) {
    for (std::size_t j = 0; j < kWords; j += hn::Lanes(Words())) {
      hn::Store(close_gaps<kBits>(load_words(codes + i + 8 * j)), Words(), words + j);
    }
    for (const std::uint64_t word : words) {
      // Eight bytes at once where there is room: the next word overwrites what is too much.
      std::memcpy(packed, &word, end - packed >= 8 ? 8 : kBits);
      packed += kBits;
    }
  }
}

template <int kBits>
void unpack_words(const std::byte* HWY_RESTRICT packed, std::size_t count,
                  std::uint8_t* HWY_RESTRICT codes) {
  alignas(64) std::uint64_t words[kWords] = {};
  const std::byte* const end = packed + count / 8 * kBits;
  for (std::size_t i = 0; i < count; i += 8 * kWords) {
    for (std::uint64_t& word : words) {
      std::memcpy(&word, packed, end - packed >= 8 ? 8 : kBits);
      packed += kBits;
    }
    for (std::size_t j = 0; j < kWords; j += hn::Lanes(Words())) {
      store_words(open_gaps<kBits>(hn::Load(Words(), words + j)), codes + i + 8 * j);
    }
  }
}

// 2 and 4 bits need no loop over words: after two or one steps each field of 32 or 16 bits holds
// just one byte.
template <int kBits>
using Field = std::conditional_t<kBits == 4, std::uint16_t, std::uint32_t>;

template <int kBits>
void pack_fields(const std::uint8_t* HWY_RESTRICT codes, std::size_t count,
                 std::byte* HWY_RESTRICT packed) {
  const hn::Repartition<Field<kBits>, Words> fields;
  const hn::Rebind<std::uint8_t, decltype(fields)> narrow;
  auto* const out = reinterpret_cast<std::uint8_t*>(packed);
  for (std::size_t i = 0; i < count; i += 8 * hn::Lanes(Words())) {
    auto words = close_gap<16, kBits>(load_words(codes + i));
    if constexpr (kBits == 2) words = close_gap<32, 2 * kBits>(words);
    hn::StoreU(hn::TruncateTo(narrow, hn::BitCast(fields, words)), narrow, out + i * kBits / 8);
  }
}

template <int kBits>
void unpack_fields(const std::byte* HWY_RESTRICT packed, std::size_t count,
                   std::uint8_t* HWY_RESTRICT codes) {
  const hn::Repartition<Field<kBits>, Words> fields;
  const hn::Rebind<std::uint8_t, decltype(fields)> narrow;
  const auto* const in = reinterpret_cast<const std::uint8_t*>(packed);
  for (std::size_t i = 0; i < count; i += 8 * hn::Lanes(Words())) {
    const auto wide = hn::PromoteTo(fields, hn::LoadU(narrow, in + i * kBits / 8));
    auto words = hn::BitCast(Words(), wide);
    if constexpr (kBits == 2) words = open_gap<32, 2 * kBits>(words);
    store_words(open_gap<16, kBits>(words), codes + i);
  }
}

void pack_bytes(const std::uint8_t* codes, std::size_t count, std::byte* packed) {
  std::memcpy(packed, codes, count);
}

void unpack_bytes(const std::byte* packed, std::size_t count, std::uint8_t* codes) {
  std::memcpy(codes, packed, count);
}

template <int kBits>
constexpr BitPackKernels kernels_of() {
  // Highway's target without SIMD has no fields in its words.
  constexpr bool has_fields = HWY_TARGET != HWY_SCALAR;
  if constexpr (kBits == 8) {
    return {pack_bytes, unpack_bytes};
  } else if constexpr (has_fields && (kBits == 2 || kBits == 4)) {
    return {pack_fields<kBits>, unpack_fields<kBits>};
  } else {
    return {pack_words<kBits>, unpack_words<kBits>};
  }
}

/// By width, 1 to 8.
const BitPackKernels* kernels() {
  static constexpr BitPackKernels kKernels[] = {kernels_of<1>(), kernels_of<2>(), kernels_of<3>(),
                                                kernels_of<4>(), kernels_of<5>(), kernels_of<6>(),
                                                kernels_of<7>(), kernels_of<8>()};
  return kKernels;
}

}  // namespace
}  // namespace convoy::compress::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convoy::compress::internal {
HWY_EXPORT(kernels);
const BitPackKernels& bit_pack_kernels(int bits) {
  return HWY_DYNAMIC_DISPATCH(kernels)()[bits - 1];
}
}  // namespace convoy::compress::internal
#endif
