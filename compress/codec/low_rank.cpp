// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/low_rank.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/errors.h"
#include "compress/codec/internal/low_rank_kernels.h"
#include "compress/codec/internal/product_order.h"

namespace convoy::compress {
namespace {

using internal::Factor;
using internal::MatrixBlock;

std::int64_t count_of(std::span<const float> values) {
  return static_cast<std::int64_t>(values.size());
}

// The columns of a factor of `length` rows that `values` holds.
template <typename T>
Factor<T> columns_of(std::span<T> values, std::int64_t length) {
  if (length == 0) return {values.data(), 0, 0};
  require(count_of(values) % length == 0, "a factor of power_sgd must hold whole columns");
  return {values.data(), length, count_of(values) / length};
}

struct Factors {
  Factor<const float> p;
  Factor<const float> q;
};

Factors check(std::span<const float> matrix, MatrixShape shape, std::span<const float> p,
              std::span<const float> q) {
  require(count_of(matrix) == shape.numel(),
          "a matrix of power_sgd must have rows * columns values");
  const Factors factors{columns_of(p, shape.rows), columns_of(q, shape.columns)};
  require(shape.numel() == 0 || factors.p.count == factors.q.count,
          "P and Q of power_sgd must have equally many columns");
  return factors;
}

/// Calls visit(first, count) for one block of `length` after the other.
template <typename Visit>
void for_each_block(std::int64_t length, std::int64_t block, Visit visit) {
  for (std::int64_t first = 0; first < length; first += block) {
    visit(first, std::min(block, length - first));
  }
}

}  // namespace

MatrixShape matrix_shape(std::span<const std::int64_t> layer_shape) {
  const std::int64_t numel =
      std::accumulate(layer_shape.begin(), layer_shape.end(), std::int64_t{1}, std::multiplies<>());
  if (layer_shape.size() < 2) return {1, numel};
  const auto columns = layer_shape.subspan(1);
  return {layer_shape[0],
          std::accumulate(columns.begin(), columns.end(), std::int64_t{1}, std::multiplies<>())};
}

void multiply(std::span<const float> matrix, MatrixShape shape, std::span<const float> q,
              std::span<float> p) {
  const Factors factors = check(matrix, shape, p, q);
  std::fill(p.begin(), p.end(), 0.0F);
  const Factor<float> sums = columns_of(p, shape.rows);
  for_each_block(
      shape.columns, internal::kProductBlockColumns, [&](std::int64_t first, std::int64_t columns) {
        const MatrixBlock block{matrix.data() + first, shape.columns, shape.rows, columns};
        internal::multiply_block(block, {factors.q.data + first, factors.q.stride, factors.q.count},
                                 sums);
      });
}

void multiply_transposed(std::span<const float> matrix, MatrixShape shape, std::span<const float> p,
                         std::span<float> q) {
  const Factors factors = check(matrix, shape, p, q);
  std::fill(q.begin(), q.end(), 0.0F);
  const Factor<float> sums = columns_of(q, shape.columns);
  const std::int64_t width = std::min(internal::kProductBlockColumns, shape.columns);
  std::vector<float> of_block(static_cast<std::size_t>(width * sums.count));
  for_each_block(shape.columns, internal::kProductBlockColumns,
                 [&](std::int64_t column, std::int64_t columns) {
                   for_each_block(
                       shape.rows, internal::kProductBlockRows,
                       [&](std::int64_t row, std::int64_t rows) {
                         std::fill(of_block.begin(), of_block.end(), 0.0F);
                         const MatrixBlock block{matrix.data() + row * shape.columns + column,
                                                 shape.columns, rows, columns};
                         internal::multiply_transposed_block(
                             block, {factors.p.data + row, factors.p.stride, factors.p.count},
                             {of_block.data(), width, sums.count});
                         for (std::int64_t c = 0; c < sums.count; ++c) {
                           float* sum = sums.column(c) + column;
                           const float* added = of_block.data() + c * width;
                           for (std::int64_t j = 0; j < columns; ++j) sum[j] += added[j];
                         }
                       });
                 });
}

namespace {

void product_into(std::span<const float> p, std::span<const float> q, MatrixShape shape,
                  std::span<float> out, float* residual) {
  const Factors factors = check(out, shape, p, q);
  if (factors.p.count == 0) return std::fill(out.begin(), out.end(), 0.0F);
  for (std::int64_t row = 0; row < shape.rows; ++row) {
    const Factor<const float> weights{factors.p.data + row, factors.p.stride, factors.p.count};
    for_each_block(shape.columns, internal::kProductBlockColumns,
                   [&](std::int64_t first, std::int64_t columns) {
                     const std::int64_t at = row * shape.columns + first;
                     internal::product_row(
                         weights, {factors.q.data + first, factors.q.stride, factors.q.count},
                         columns, out.data() + at, residual == nullptr ? nullptr : residual + at);
                   });
  }
}

}  // namespace

void product(std::span<const float> p, std::span<const float> q, MatrixShape shape,
             std::span<float> out) {
  product_into(p, q, shape, out, nullptr);
}

void product_and_residual(std::span<const float> p, std::span<const float> q, MatrixShape shape,
                          std::span<float> out, std::span<float> residual) {
  require(residual.size() == out.size(), "residual and product must have equally many values");
  product_into(p, q, shape, out, residual.data());
}

}  // namespace convoy::compress
