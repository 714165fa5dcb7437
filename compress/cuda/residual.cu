// SPDX-License-Identifier: Apache-2.0
#include "compress/cuda/internal/device_runner.cuh"
#include "compress/cuda/internal/require_usable.h"
#include "compress/cuda/internal/residual_steps.h"
#include "compress/cuda/residual.h"

namespace convoy::compress::cuda {

void add_residual(DeviceSpan<const float> residual, DeviceSpan<const float> gradient,
                  DeviceSpan<float> owed, Stream stream) {
  require_usable();
  DeviceRunner runner(stream);
  add_residual_on(runner, residual, gradient, owed);
}

void add_residual(DeviceSpan<const BFloat16> residual, DeviceSpan<const float> gradient,
                  DeviceSpan<float> owed, Stream stream) {
  require_usable();
  DeviceRunner runner(stream);
  add_residual_on(runner, residual, gradient, owed);
}

void keep_residual(DeviceSpan<const float> owed, DeviceSpan<BFloat16> residual, Stream stream) {
  require_usable();
  DeviceRunner runner(stream);
  keep_residual_on(runner, owed, residual);
}

}  // namespace convoy::compress::cuda
