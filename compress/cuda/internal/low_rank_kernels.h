// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/mix.h"
#include "base/random.h"
#include "compress/codec/low_rank.h"
#include "compress/cuda/internal/kernel.h"

namespace convoy::compress::cuda {

/// Draws columns that are all zero as the CPU does, one block for each: whether one is, all threads
/// look; the numbers come one after the other, from one thread.
struct DrawMissingColumns {
  static constexpr int kPhases = 3;
  struct Shared {
    std::uint32_t found;  ///< 1 if something is not zero
  };

  DeviceSpan<float> q;
  std::int64_t columns;
  std::uint64_t seed;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared& shared) const {
    if (at.thread == 0) shared.found = 0;
  }

  CONVOY_HOST_DEVICE void operator()(Phase<1>, ThreadAt at, Shared& shared) const {
    const auto own = column(at);
    bool found = false;
    for (std::int64_t i = at.thread; i < own.size() && !found; i += at.threads) {
      found = own[i] != 0.0F;
    }
    if (found) atomic_max(shared.found, 1U);
  }

  CONVOY_HOST_DEVICE void operator()(Phase<2>, ThreadAt at, Shared& shared) const {
    if (at.thread != 0 || shared.found != 0) return;
    const auto own = column(at);
    Random random(mix_two(seed, static_cast<std::uint64_t>(at.block)));
    for (std::int64_t i = 0; i < own.size(); ++i) {
      own[i] = static_cast<float>(random.uniform() - 0.5);
    }
  }

 private:
  [[nodiscard]] CONVOY_HOST_DEVICE DeviceSpan<float> column(ThreadAt at) const {
    return q.part(at.block * columns, columns);
  }
};

/// out = P Q^T and residual -= out, each element's terms added in their order. A block has kRows
/// rows and as many columns as threads, so that what it loads of Q serves kRows elements.
struct ProductAndResidual {
  static constexpr int kPhases = 1;
  static constexpr int kRows = 8;
  using Shared = NothingShared;

  DeviceSpan<const float> p;
  DeviceSpan<const float> q;
  MatrixShape shape;
  std::int64_t rank;  ///< at least 1
  DeviceSpan<float> out;
  DeviceSpan<float> residual;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared&) const {
    const std::int64_t across = (shape.columns + at.threads - 1) / at.threads;
    const std::int64_t column = at.block % across * at.threads + at.thread;
    if (column >= shape.columns) return;
    const std::int64_t first = at.block / across * kRows;
    const std::int64_t left = shape.rows - first;
    float sums[kRows];
    if (left >= kRows) {
      add_terms<true>(first, kRows, column, sums);
      put<true>(first, kRows, column, sums);
    } else {
      add_terms<false>(first, static_cast<int>(left), column, sums);
      put<false>(first, static_cast<int>(left), column, sums);
    }
  }

 private:
  /// With kAll, `rows` is kRows: loops without a condition keep the sums in registers.
  template <bool kAll>
  CONVOY_HOST_DEVICE void add_terms(std::int64_t first, int rows, std::int64_t column,
                                    float* sums) const {
    for (int r = 0; r < kRows; ++r) {
      if (kAll || r < rows) sums[r] = p[first + r] * q[column];
    }
    for (std::int64_t c = 1; c < rank; ++c) {
      const float weight = q[c * shape.columns + column];
      for (int r = 0; r < kRows; ++r) {
        if (kAll || r < rows) sums[r] += p[c * shape.rows + first + r] * weight;
      }
    }
  }

  template <bool kAll>
  CONVOY_HOST_DEVICE void put(std::int64_t first, int rows, std::int64_t column,
                              const float* sums) const {
    for (int r = 0; r < kRows; ++r) {
      if (!kAll && r >= rows) return;
      const std::int64_t i = (first + r) * shape.columns + column;
      out[i] = sums[r];
      residual[i] -= sums[r];
    }
  }
};

}  // namespace convoy::compress::cuda
