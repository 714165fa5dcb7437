// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/errors.h"
#include "compress/cuda/engine.h"
#include "compress/cuda/internal/low_rank_kernels.h"
#include "compress/cuda/internal/orthogonalise_kernel.h"
#include "compress/cuda/internal/runner_steps.h"

// The arithmetic of low_rank.h for any Runner (runner_steps.h).

namespace convoy::compress::cuda {

/// float64 values that orthogonalise_on() works in.
[[nodiscard]] inline std::int64_t orthogonalise_needs(std::span<const Engine::Columns> factors) {
  std::int64_t rows = 0;
  for (const auto& factor : factors) {
    require(factor.rows > 0 && factor.values.size() % factor.rows == 0,
            "orthogonalise needs whole columns of at least one row");
    rows += factor.rows;
  }
  return rows;
}

template <typename Runner>
void orthogonalise_on(Runner& runner, std::span<const Engine::Columns> factors,
                      DeviceSpan<double> work) {
  constexpr std::size_t kMost = Orthogonalise::kMostTasks;
  std::int64_t used = 0;
  for (std::size_t first = 0; first < factors.size(); first += kMost) {
    const auto own = factors.subspan(first, std::min(kMost, factors.size() - first));
    Orthogonalise kernel{};
    for (std::size_t i = 0; i < own.size(); ++i) {
      kernel.tasks[i] = {own[i].values, work.part(used, own[i].rows)};
      used += own[i].rows;
    }
    runner.launch(kernel, static_cast<std::int64_t>(own.size()), math::kDotLanes);
  }
}

template <typename Runner>
void draw_missing_columns_on(Runner& runner, DeviceSpan<float> q, std::int64_t columns,
                             std::uint64_t seed) {
  require(columns > 0 && q.size() % columns == 0,
          "draw_missing_columns needs whole columns of at least one value");
  runner.launch(DrawMissingColumns{q, columns, seed}, q.size() / columns, kThreads);
}

/// How many columns the factors of a matrix have that is not empty.
[[nodiscard]] inline std::int64_t rank_of(DeviceSpan<const float> p, DeviceSpan<const float> q,
                                          MatrixShape shape) {
  require(p.size() % shape.rows == 0 && q.size() % shape.columns == 0,
          "a factor of power_sgd must hold whole columns");
  require(p.size() / shape.rows == q.size() / shape.columns,
          "P and Q of power_sgd must have equally many columns");
  return p.size() / shape.rows;
}

template <typename Runner>
void product_and_residual_on(Runner& runner, DeviceSpan<const float> p, DeviceSpan<const float> q,
                             MatrixShape shape, DeviceSpan<float> out, DeviceSpan<float> residual) {
  require(out.size() == shape.numel(), "a matrix of power_sgd must have rows * columns values");
  require(residual.size() == out.size(), "residual and product must have equally many values");
  if (out.size() == 0) return;
  const std::int64_t rank = rank_of(p, q, shape);
  if (rank == 0) return runner.fill_zero(out);
  // Whole warps of 32.
  const auto threads =
      static_cast<int>(std::min<std::int64_t>((shape.columns + 31) / 32 * 32, kThreads));
  runner.launch(
      ProductAndResidual{p, q, shape, rank, out, residual},
      blocks_for(shape.columns, threads) * blocks_for(shape.rows, ProductAndResidual::kRows),
      threads);
}

}  // namespace convoy::compress::cuda
