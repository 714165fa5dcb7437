// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/half.h"
#include "compress/codec/internal/elementwise.h"
#include "compress/cuda/internal/kernel.h"

// One thread for each value.

namespace convoy::compress::cuda {

struct Add {
  static constexpr int kPhases = 1;
  using Shared = NothingShared;

  DeviceSpan<const float> term;
  DeviceSpan<float> sum;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared&) const {
    const std::int64_t i = at.index();
    if (i < sum.size()) sum[i] += term[i];
  }
};

struct Scale {
  static constexpr int kPhases = 1;
  using Shared = NothingShared;

  DeviceSpan<float> values;
  float factor;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared&) const {
    if (at.index() < values.size()) values[at.index()] *= factor;
  }
};

template <typename T>
struct AddResidual {
  static constexpr int kPhases = 1;
  using Shared = NothingShared;

  DeviceSpan<const T> residual;
  DeviceSpan<const float> gradient;
  DeviceSpan<float> owed;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared&) const {
    const std::int64_t i = at.index();
    if (i < owed.size()) owed[i] = math::owed_of(math::as_float(residual[i]), gradient[i]);
  }
};

struct KeepResidual {
  static constexpr int kPhases = 1;
  using Shared = NothingShared;

  DeviceSpan<const float> owed;
  DeviceSpan<BFloat16> residual;

  CONVOY_HOST_DEVICE void operator()(Phase<0>, ThreadAt at, Shared&) const {
    const std::int64_t i = at.index();
    if (i < owed.size()) residual[i] = to_bfloat16(owed[i]);
  }
};

}  // namespace convoy::compress::cuda
