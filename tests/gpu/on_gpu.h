// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "compress/cuda/engine.h"

namespace convoy::compress::cuda {

/// As OnHost (tests/compress/cuda/on_host.h), on the current device.
struct OnGpu {
  static std::unique_ptr<Engine> make() { return make_engine(); }
};

using Devices = testing::Types<OnGpu>;

struct DeviceName {
  template <typename Device>
  static std::string GetName(int /*index*/) {
    return "Gpu";
  }
};

}  // namespace convoy::compress::cuda
