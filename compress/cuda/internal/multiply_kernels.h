// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "compress/codec/internal/product_order.h"
#include "compress/codec/low_rank.h"
#include "compress/cuda/internal/kernel.h"

// Products of a matrix with a factor, in the order of product_order.h. A thread has kAtOnce columns
// of the factors at a time, so that what it loads of the matrix serves them all.

namespace convoy::compress::cuda {

/// P = M Q. A block has kRows rows, with one thread for each lane of a row's sums.
struct Multiply {
  static constexpr int kPhases = 3;
  static constexpr int kRepeatFrom = 1;  // once for each block of columns
  static constexpr int kLanes = math::kProductLanes;
  static constexpr int kRows = 16;
  static constexpr int kAtOnce = 4;
  static constexpr int kThreads = kRows * kLanes;
  static_assert(kAtOnce <= kLanes);
  struct Shared {
    float lanes[kRows][kAtOnce][kLanes];
    float sums[kRows][kAtOnce];
    std::int64_t first;  ///< column of the matrix
  };

  DeviceSpan<const float> matrix;
  MatrixShape shape;
  DeviceSpan<const float> q;
  DeviceSpan<float> p;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared& shared) const {
    if (at.thread == 0) shared.first = 0;
    if (lane(at) < kAtOnce) shared.sums[row(at)][lane(at)] = 0.0F;
  }

  CONVOY_HOST_DEVICE void operator()(Phase<1>, ThreadAt at, Shared& shared) const {
    const std::int64_t own = first_row(at) + row(at);
    if (own >= shape.rows) return;
    float sums[kAtOnce] = {};
    const std::int64_t end = std::min(shape.columns, shared.first + math::kProductBlockColumns);
    const std::int64_t factor = first_column(at);
    const std::int64_t count = columns_of(at);
    for (std::int64_t j = shared.first + lane(at); j < end; j += kLanes) {
      const float value = matrix[own * shape.columns + j];
      for (int c = 0; c < kAtOnce; ++c) {
        if (c < count) sums[c] += value * q[(factor + c) * shape.columns + j];
      }
    }
    for (int c = 0; c < kAtOnce; ++c) shared.lanes[row(at)][c][lane(at)] = sums[c];
  }

  CONVOY_HOST_DEVICE void operator()(Phase<2>, ThreadAt at, Shared& shared) const {
    if (at.thread == 0) shared.first += math::kProductBlockColumns;
    const std::int64_t own = first_row(at) + row(at);
    const int c = lane(at);
    if (own >= shape.rows || c >= columns_of(at)) return;
    float* lanes = shared.lanes[row(at)][c];
    for (int half = kLanes / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
    }
    shared.sums[row(at)][c] += lanes[0];
    p[(first_column(at) + c) * shape.rows + own] = shared.sums[row(at)][c];
  }

  [[nodiscard]] CONVOY_HOST_DEVICE bool done(const Shared& shared) const {
    return shared.first >= shape.columns;
  }

  /// Of a matrix that is not empty.
  [[nodiscard]] std::int64_t blocks() const {
    const std::int64_t rank = p.size() / shape.rows;
    return blocks_for(shape.rows, kRows) * blocks_for(rank, kAtOnce);
  }

 private:
  [[nodiscard]] static CONVOY_HOST_DEVICE int lane(ThreadAt at) { return at.thread % kLanes; }
  [[nodiscard]] static CONVOY_HOST_DEVICE int row(ThreadAt at) { return at.thread / kLanes; }
  [[nodiscard]] CONVOY_HOST_DEVICE std::int64_t tiles() const {
    return (shape.rows + kRows - 1) / kRows;
  }
  [[nodiscard]] CONVOY_HOST_DEVICE std::int64_t first_row(ThreadAt at) const {
    return at.block % tiles() * kRows;
  }
  /// Of the factors.
  [[nodiscard]] CONVOY_HOST_DEVICE std::int64_t first_column(ThreadAt at) const {
    return at.block / tiles() * kAtOnce;
  }
  [[nodiscard]] CONVOY_HOST_DEVICE std::int64_t columns_of(ThreadAt at) const {
    const std::int64_t left = p.size() / shape.rows - first_column(at);
    return left < kAtOnce ? left : kAtOnce;
  }
};

/// Q = M^T P of every block of rows by itself. A thread has one column of the matrix.
struct MultiplyTransposed {
  static constexpr int kPhases = 1;
  static constexpr int kAtOnce = 4;
  using Shared = NothingShared;

  DeviceSpan<const float> matrix;
  MatrixShape shape;
  DeviceSpan<const float> p;
  DeviceSpan<float> parts;  ///< [blocks of rows][columns of the factor][columns of the matrix]

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared&) const {
    const std::int64_t across = (shape.columns + at.threads - 1) / at.threads;
    const std::int64_t column = at.block % across * at.threads + at.thread;
    if (column >= shape.columns) return;
    const std::int64_t part = at.block / across % row_blocks();
    const std::int64_t first = at.block / across / row_blocks() * kAtOnce;
    const std::int64_t count = std::min<std::int64_t>(rank() - first, kAtOnce);
    float sums[kAtOnce] = {};
    add_rows(part, column, first, count, sums);
    for (int c = 0; c < kAtOnce; ++c) {
      if (c < count) parts[(part * rank() + first + c) * shape.columns + column] = sums[c];
    }
  }

  [[nodiscard]] CONVOY_HOST_DEVICE std::int64_t row_blocks() const {
    return (shape.rows + math::kProductBlockRows - 1) / math::kProductBlockRows;
  }
  [[nodiscard]] CONVOY_HOST_DEVICE std::int64_t rank() const { return p.size() / shape.rows; }
  /// Of a matrix that is not empty.
  [[nodiscard]] std::int64_t blocks(int threads) const {
    return blocks_for(shape.columns, threads) * row_blocks() * blocks_for(rank(), kAtOnce);
  }

 private:
  CONVOY_HOST_DEVICE void add_rows(std::int64_t part, std::int64_t column, std::int64_t first,
                                   std::int64_t count, float* sums) const {
    std::int64_t row = part * math::kProductBlockRows;
    const std::int64_t end = std::min(shape.rows, row + math::kProductBlockRows);
    for (; row + 4 <= end; row += 4) {
      float values[4];
      for (int r = 0; r < 4; ++r) values[r] = matrix[(row + r) * shape.columns + column];
      for (int c = 0; c < kAtOnce; ++c) {
        if (c >= count) continue;
        const auto weights = p.part((first + c) * shape.rows + row, 4);
        sums[c] += (values[0] * weights[0] + values[1] * weights[1]) +
                   (values[2] * weights[2] + values[3] * weights[3]);
      }
    }
    for (; row < end; ++row) {
      const float value = matrix[row * shape.columns + column];
      for (int c = 0; c < kAtOnce; ++c) {
        if (c < count) sums[c] += value * p[(first + c) * shape.rows + row];
      }
    }
  }
};

/// sums = the parts one after the other, added up in their order. One thread for each value.
struct AddParts {
  static constexpr int kPhases = 1;
  using Shared = NothingShared;

  DeviceSpan<const float> parts;
  DeviceSpan<float> sums;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared&) const {
    if (at.index() >= sums.size()) return;
    float sum = 0.0F;
    for (std::int64_t i = at.index(); i < parts.size(); i += sums.size()) sum += parts[i];
    sums[at.index()] = sum;
  }
};

}  // namespace convoy::compress::cuda
