// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/half.h"

namespace convoy::compress::internal {

// Bit i of `marks` says whether the key (magnitude.h) of value i is at least `threshold`, itself a
// key of this element type; `words` words of 64 values each. The best SIMD target of the processor
// is chosen at run time; there is nothing to round, so all give the same bits.

void mark_at_least(const float* values, std::int64_t words, std::uint32_t threshold,
                   std::uint64_t* marks);
void mark_at_least(const Half* values, std::int64_t words, std::uint32_t threshold,
                   std::uint64_t* marks);
void mark_at_least(const BFloat16* values, std::int64_t words, std::uint32_t threshold,
                   std::uint64_t* marks);

}  // namespace convoy::compress::internal
