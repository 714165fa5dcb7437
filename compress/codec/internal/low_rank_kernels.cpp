// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/internal/low_rank_kernels.h"

#include "compress/codec/internal/product_order.h"

// Vectors without a fixed size cannot be put into arrays; ARM processors that have them have NEON.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
// This file is compiled once per target: foreach_target.h includes it again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compress/codec/internal/low_rank_kernels.cpp"
#include <hwy/foreach_target.h>
// clang-format off: after foreach_target.h
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace convoy::compress::internal {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::int64_t kLanes = kProductLanes;
// Sixteen lanes, or as many as one vector of this target has.
using Wide = hn::CappedTag<float, kLanes>;
// For what is left over at the end of a row.
using Single = hn::CappedTag<float, 1>;

template <class D>
std::int64_t size_of(D tag) {
  return static_cast<std::int64_t>(hn::Lanes(tag));
}

// Rows that share what is loaded of Q: as many as the registers hold sums of. (No row's sums depend
// on it.)
constexpr int kRowsAtOnce = hn::MaxLanes(Wide()) == kLanes ? 4 : 2;

float fold(float* lanes) {
  for (std::int64_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::int64_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

// The lanes of kRows * kColumns sums stay in registers. A target with short vectors goes over the
// columns several times, each time for other lanes.
template <int kRows, int kColumns>
void multiply_tile(const float* rows, std::int64_t stride, std::int64_t columns,
                   Factor<const float> q, Factor<float> p) {
  const Wide tag;
  using V = hn::Vec<Wide>;
  alignas(64) float lanes[kRows][kColumns][kLanes];
  const std::int64_t whole = columns / kLanes * kLanes;
  for (std::int64_t lane = 0; lane < kLanes; lane += size_of(tag)) {
    V sums[kRows][kColumns];
    for (auto& row : sums) {
      for (auto& sum : row) sum = hn::Zero(tag);
    }
    for (std::int64_t j = lane; j < whole; j += kLanes) {
      V row[kRows];
      for (int r = 0; r < kRows; ++r) row[r] = hn::LoadU(tag, rows + r * stride + j);
      for (int c = 0; c < kColumns; ++c) {
        const V column = hn::LoadU(tag, q.column(c) + j);
        for (int r = 0; r < kRows; ++r) {
          sums[r][c] = hn::Add(sums[r][c], hn::Mul(row[r], column));
        }
      }
    }
    for (int r = 0; r < kRows; ++r) {
      for (int c = 0; c < kColumns; ++c) hn::Store(sums[r][c], tag, &lanes[r][c][lane]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int c = 0; c < kColumns; ++c) {
      for (std::int64_t j = whole; j < columns; ++j) {
        lanes[r][c][j - whole] += rows[r * stride + j] * q.column(c)[j];
      }
      p.column(c)[r] += fold(lanes[r][c]);
    }
  }
}

template <int kRows>
void multiply_rows(const float* rows, const MatrixBlock& block, Factor<const float> q,
                   Factor<float> p) {
  for (; q.count >= 4; q = q.from(4), p = p.from(4)) {
    multiply_tile<kRows, 4>(rows, block.stride, block.columns, q, p);
  }
  for (; q.count > 0; q = q.from(1), p = p.from(1)) {
    multiply_tile<kRows, 1>(rows, block.stride, block.columns, q, p);
  }
}

void multiply_block(const MatrixBlock& block, Factor<const float> q, Factor<float> p) {
  const float* rows = block.data;
  std::int64_t left = block.rows;
  for (; left >= kRowsAtOnce; left -= kRowsAtOnce) {
    multiply_rows<kRowsAtOnce>(rows, block, q, p);
    rows += kRowsAtOnce * block.stride;
    p.data += kRowsAtOnce;
  }
  for (; left > 0; --left, rows += block.stride, p.data += 1) {
    multiply_rows<1>(rows, block, q, p);
  }
}

// Sum of the products of kRows (1 or 4) matrix rows with one value of P each.
template <int kRows, class V>
V weighted_rows(const V (&rows)[kRows], const V (&weights)[kRows]) {
  if constexpr (kRows == 1) {
    return hn::Mul(rows[0], weights[0]);
  } else {
    return hn::Add(hn::Add(hn::Mul(rows[0], weights[0]), hn::Mul(rows[1], weights[1])),
                   hn::Add(hn::Mul(rows[2], weights[2]), hn::Mul(rows[3], weights[3])));
  }
}

// Columns from `j` on, as long as a whole vector fits. @returns where it stopped.
template <int kRows, int kColumns, class D>
std::int64_t transposed_tile(D tag, const float* rows, const MatrixBlock& block, std::int64_t j,
                             Factor<const float> p, Factor<float> q) {
  using V = hn::Vec<D>;
  V weights[kColumns][kRows];
  for (int c = 0; c < kColumns; ++c) {
    for (int r = 0; r < kRows; ++r) weights[c][r] = hn::Set(tag, p.column(c)[r]);
  }
  for (; j + size_of(tag) <= block.columns; j += size_of(tag)) {
    V row[kRows];
    for (int r = 0; r < kRows; ++r) row[r] = hn::LoadU(tag, rows + r * block.stride + j);
    for (int c = 0; c < kColumns; ++c) {
      float* sum = q.column(c) + j;
      hn::StoreU(hn::Add(hn::LoadU(tag, sum), weighted_rows<kRows>(row, weights[c])), tag, sum);
    }
  }
  return j;
}

template <int kRows, int kColumns>
void transposed_columns(const float* rows, const MatrixBlock& block, Factor<const float> p,
                        Factor<float> q) {
  const std::int64_t done = transposed_tile<kRows, kColumns>(Wide(), rows, block, 0, p, q);
  transposed_tile<kRows, kColumns>(Single(), rows, block, done, p, q);
}

template <int kRows>
void transposed_rows(const float* rows, const MatrixBlock& block, Factor<const float> p,
                     Factor<float> q) {
  for (; q.count >= 4; q = q.from(4), p = p.from(4)) {
    transposed_columns<kRows, 4>(rows, block, p, q);
  }
  for (; q.count > 0; q = q.from(1), p = p.from(1)) {
    transposed_columns<kRows, 1>(rows, block, p, q);
  }
}

void multiply_transposed_block(const MatrixBlock& block, Factor<const float> p, Factor<float> q) {
  const float* rows = block.data;
  std::int64_t left = block.rows;
  for (; left >= 4; left -= 4, rows += 4 * block.stride, p.data += 4) {
    transposed_rows<4>(rows, block, p, q);
  }
  for (; left > 0; --left, rows += block.stride, p.data += 1) {
    transposed_rows<1>(rows, block, p, q);
  }
}

// out += (or, with kFirst, =) kColumns terms of the row, for columns from `j` on.
template <bool kFirst, int kColumns, class D>
std::int64_t add_terms(D tag, Factor<const float> p, Factor<const float> q, std::int64_t columns,
                       std::int64_t j, float* out) {
  using V = hn::Vec<D>;
  V weights[kColumns];
  for (int c = 0; c < kColumns; ++c) weights[c] = hn::Set(tag, *p.column(c));
  for (; j + size_of(tag) <= columns; j += size_of(tag)) {
    V sum = hn::Mul(weights[0], hn::LoadU(tag, q.column(0) + j));
    if constexpr (!kFirst) sum = hn::Add(hn::LoadU(tag, out + j), sum);
    for (int c = 1; c < kColumns; ++c) {
      sum = hn::Add(sum, hn::Mul(weights[c], hn::LoadU(tag, q.column(c) + j)));
    }
    hn::StoreU(sum, tag, out + j);
  }
  return j;
}

template <bool kFirst, int kColumns>
void add_columns(Factor<const float>& p, Factor<const float>& q, std::int64_t columns, float* out) {
  const std::int64_t done = add_terms<kFirst, kColumns>(Wide(), p, q, columns, 0, out);
  add_terms<kFirst, kColumns>(Single(), p, q, columns, done, out);
  p = p.from(kColumns);
  q = q.from(kColumns);
}

template <class D>
std::int64_t subtract(D tag, const float* out, std::int64_t columns, std::int64_t j,
                      float* residual) {
  for (; j + size_of(tag) <= columns; j += size_of(tag)) {
    hn::StoreU(hn::Sub(hn::LoadU(tag, residual + j), hn::LoadU(tag, out + j)), tag, residual + j);
  }
  return j;
}

void product_row(Factor<const float> p, Factor<const float> q, std::int64_t columns, float* out,
                 float* residual) {
  if (q.count >= 4) {
    add_columns<true, 4>(p, q, columns, out);
  } else {
    add_columns<true, 1>(p, q, columns, out);
  }
  while (q.count >= 4) add_columns<false, 4>(p, q, columns, out);
  while (q.count > 0) add_columns<false, 1>(p, q, columns, out);
  if (residual != nullptr) {
    subtract(Single(), out, columns, subtract(Wide(), out, columns, 0, residual), residual);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace convoy::compress::internal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace convoy::compress::internal {
namespace {
HWY_EXPORT(multiply_block);
HWY_EXPORT(multiply_transposed_block);
HWY_EXPORT(product_row);
}  // namespace

void multiply_block(const MatrixBlock& block, Factor<const float> q, Factor<float> p) {
  HWY_DYNAMIC_DISPATCH(multiply_block)(block, q, p);
}

void multiply_transposed_block(const MatrixBlock& block, Factor<const float> p, Factor<float> q) {
  HWY_DYNAMIC_DISPATCH(multiply_transposed_block)(block, p, q);
}

void product_row(Factor<const float> p, Factor<const float> q, std::int64_t columns, float* out,
                 float* residual) {
  HWY_DYNAMIC_DISPATCH(product_row)(p, q, columns, out, residual);
}

}  // namespace convoy::compress::internal
#endif
