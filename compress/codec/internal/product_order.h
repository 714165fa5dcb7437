// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// The order of the sums in the products of a matrix with the factors of power_sgd, which the CPU
// and the kernels of GPUs keep alike. Sums run over blocks of this many terms, then over the
// blocks: rounding errors grow with the length of a block and the number of blocks instead of their
// product.

namespace convoy::compress::internal {

/// Of a sum along a row; its terms go to them in turns.
inline constexpr int kProductLanes = 16;
/// Four factor columns of a block of columns fit the second-level cache of a CPU.
inline constexpr std::int64_t kProductBlockColumns = 4096;
inline constexpr std::int64_t kProductBlockRows = 256;

}  // namespace convoy::compress::internal
