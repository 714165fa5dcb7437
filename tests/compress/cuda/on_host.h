// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/compress/cuda/host_codecs.h"

namespace convoy::compress::cuda {

/// What tests of kernels need of a device; tests/gpu/on_gpu.h has the same for GPUs.
template <Order kOrder>
struct OnHost {
  static std::unique_ptr<Engine> make() {
    return std::make_unique<EngineOn<HostRunner>>(HostRunner(kOrder));
  }
};

/// The devices that the tests run on.
using Devices =
    testing::Types<OnHost<Order::kForward>, OnHost<Order::kBackward>, OnHost<Order::kShuffled>>;

struct DeviceName {
  template <typename Device>
  static std::string GetName(int index) {
    return index == 0 ? "Forward" : index == 1 ? "Backward" : "Shuffled";
  }
};

}  // namespace convoy::compress::cuda
