// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/host_device.h"
#include "compress/codec/internal/elementwise.h"
#include "compress/cuda/internal/kernel.h"

namespace convoy::compress::cuda {

/// How decoded values go into the output.
struct Sink {
  bool add = false;  ///< out += scale * value; otherwise out = value
  float scale = 1.0F;

  CONVOY_HOST_DEVICE void put(float& out, float value) const {
    if (add) {
      math::add_scaled(out, scale, value);
    } else {
      out = value;
    }
  }
};

}  // namespace convoy::compress::cuda
