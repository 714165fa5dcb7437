// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/errors.h"
#include "compress/cuda/internal/low_rank_steps.h"
#include "compress/cuda/internal/multiply_kernels.h"
#include "compress/cuda/internal/runner_steps.h"

// The products of low_rank.h for any Runner (runner_steps.h).

namespace convoy::compress::cuda {

inline void require_matrix(DeviceSpan<const float> matrix, MatrixShape shape) {
  require(matrix.size() == shape.numel(), "a matrix of power_sgd must have rows * columns values");
}

template <typename Runner>
void multiply_on(Runner& runner, DeviceSpan<const float> matrix, MatrixShape shape,
                 DeviceSpan<const float> q, DeviceSpan<float> p) {
  require_matrix(matrix, shape);
  if (shape.numel() == 0 || rank_of(p, q, shape) == 0) return runner.fill_zero(p);
  const Multiply kernel{matrix, shape, q, p};
  runner.launch(kernel, kernel.blocks(), Multiply::kThreads);
}

/// @param parts  a Buffer for what blocks of rows give.
template <typename Runner>
void multiply_transposed_on(Runner& runner, DeviceSpan<const float> matrix, MatrixShape shape,
                            DeviceSpan<const float> p, DeviceSpan<float> q,
                            typename Runner::template Buffer<float>& parts) {
  require_matrix(matrix, shape);
  if (shape.numel() == 0 || rank_of(p, q, shape) == 0) return runner.fill_zero(q);
  MultiplyTransposed kernel{matrix, shape, p, {}};
  kernel.parts = parts.at_least(kernel.row_blocks() * q.size());
  runner.launch(kernel, kernel.blocks(kThreads), kThreads);
  runner.launch(AddParts{kernel.parts, q}, blocks_for(q.size(), kThreads), kThreads);
}

}  // namespace convoy::compress::cuda
