// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace convoy::compress::internal {

/// A block of a row-major matrix, small enough for the caches.
struct MatrixBlock {
  const float* data = nullptr;
  std::int64_t stride = 0;  ///< values from one row to the next
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

/// `count` columns of a factor.
template <typename T>
struct Factor {
  T* data = nullptr;
  std::int64_t stride = 0;  ///< values from one column to the next
  std::int64_t count = 0;

  [[nodiscard]] T* column(std::int64_t index) const { return data + index * stride; }
  /// The columns from `first` on.
  [[nodiscard]] Factor from(std::int64_t first) const {
    return {column(first), stride, count - first};
  }
};

// Kernels for every SIMD target that the compiler knows; the best one that the processor has is
// chosen at run time. All give the same bits: products are rounded before they are added, and the
// order of every sum is part of the description. A block is read from memory once, whatever the
// number of columns in the factors.

/// p[c][i] += row i of the block times q[c]. Term j goes to lane j % 16, each lane adds in the
/// order of j; lanes are then folded in halves (0 + 8, 1 + 9, ..., then 0 + 4, ...).
void multiply_block(const MatrixBlock& block, Factor<const float> q, Factor<float> p);

/// q[c][j] += column j of the block times p[c], four rows at a time: q + ((0 + 1) + (2 + 3)); then
/// the rows that are left over one by one.
void multiply_transposed_block(const MatrixBlock& block, Factor<const float> p, Factor<float> q);

/// One row of the product: out[j] = p[0] q[0][j] + p[1] q[1][j] + ..., added in this order; p[c] is
/// the row's value in column c, and there is at least one. With `residual` (null for none) also
/// residual[j] -= out[j].
void product_row(Factor<const float> p, Factor<const float> q, std::int64_t columns, float* out,
                 float* residual);

}  // namespace convoy::compress::internal
