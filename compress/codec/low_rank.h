// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/level.h"

namespace convoy::compress {

/// A layer as power_sgd sees it: a row-major rows x columns matrix. Conv weights [out, in, kh, kw]
/// become out x (in*kh*kw); a layer with fewer than two dimensions is one row.
struct MatrixShape {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  [[nodiscard]] std::int64_t numel() const { return rows * columns; }
};

[[nodiscard]] MatrixShape matrix_shape(std::span<const std::int64_t> layer_shape);

// The arithmetic of PowerSGD (Vogels et al., arXiv:1905.13727). Factors are stored column after
// column: P is `rank` columns of `rows` values, Q is `rank` columns of `columns` values; the rank
// is what the sizes of the spans say. Sums are taken in one fixed order, without fused
// multiply-add: every machine gets the same bits, whatever its SIMD. Local; one thread. All throw
// ContractError when sizes do not fit.

/// P = M Q. Reads M from memory once, whatever the rank.
void multiply(std::span<const float> matrix, MatrixShape shape, std::span<const float> q,
              std::span<float> p);
/// Q = M^T P. Reads M from memory once, whatever the rank.
void multiply_transposed(std::span<const float> matrix, MatrixShape shape, std::span<const float> p,
                         std::span<float> q);
/// Makes the columns of P orthonormal, the first ones first (their span is kept): modified
/// Gram-Schmidt, repeated where digits cancel, in float64. A column that vanishes, is not finite,
/// or depends on those before it (to 1e-6 of its norm) becomes zero.
/// @returns how many columns are not zero. O(rank^2 * rows).
int orthogonalise(std::span<float> p, std::int64_t rows);
/// out = P Q^T.
void product(std::span<const float> p, std::span<const float> q, MatrixShape shape,
             std::span<float> out);
/// out = P Q^T and residual -= P Q^T in one pass.
void product_and_residual(std::span<const float> p, std::span<const float> q, MatrixShape shape,
                          std::span<float> out, std::span<float> residual);
/// Draws each column of Q that is all zero from a uniform distribution round zero; the others stay.
/// A column depends on `seed` and its index alone. Whoever keeps Q from step to step calls this
/// before each: a column that was zero once (M was of lower rank) would stay zero for ever.
void draw_missing_columns(std::span<float> q, std::int64_t columns, std::uint64_t seed);

/// The level table: for every candidate rank its squared error ||M - P P^T M||^2 with P the
/// `rank` leading of the orthonormal columns that `iterations` subspace iterations find, from one
/// pass for all ranks (spec: error(r) = ||M||^2 - sum_{i<=r} ||M^T p_i||^2, sums in float64,
/// clamped at 0). Bytes are 4 * rank * (rows + columns). A candidate may be dense (4 bytes a value,
/// no error); ranks above min(rows, columns) count as that.
/// @param q  [largest candidate rank * columns] start of the iteration, left where it ended: kept
///           for the next table. Its columns that are all zero are drawn from `seed`.
/// Reads M 2 * iterations + 1 times.
[[nodiscard]] std::vector<LevelCost> low_rank_levels(std::span<const float> matrix,
                                                     MatrixShape shape,
                                                     std::span<const Level> candidates,
                                                     std::span<float> q, std::uint64_t seed,
                                                     int iterations = 2);

}  // namespace convoy::compress
