// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/errors.h"
#include "compress/cuda/internal/residual_kernels.h"
#include "compress/cuda/internal/runner_steps.h"

// residual.h for any Runner (runner_steps.h).

namespace convoy::compress::cuda {

template <typename T, typename Runner>
void add_residual_on(Runner& runner, DeviceSpan<const T> residual, DeviceSpan<const float> gradient,
                     DeviceSpan<float> owed) {
  require(residual.size() == owed.size() && gradient.size() == owed.size(),
          "add_residual: residual, gradient and what is owed differ in size");
  runner.launch(AddResidual<T>{residual, gradient, owed}, blocks_for(owed.size(), kThreads),
                kThreads);
}

template <typename Runner>
void keep_residual_on(Runner& runner, DeviceSpan<const float> owed, DeviceSpan<BFloat16> residual) {
  require(residual.size() == owed.size(),
          "keep_residual: residual and what is owed differ in size");
  runner.launch(KeepResidual{owed, residual}, blocks_for(owed.size(), kThreads), kThreads);
}

}  // namespace convoy::compress::cuda
