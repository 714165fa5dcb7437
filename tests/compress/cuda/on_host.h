// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "compress/cuda/device_codec.h"
#include "compress/cuda/internal/quantize_on.h"
#include "compress/cuda/internal/residual_steps.h"
#include "compress/cuda/internal/top_k_on.h"
#include "tests/compress/cuda/host_runner.h"

namespace convoy::compress::cuda {

/// What tests of kernels need of a device; one for GPUs would have the same members.
template <Order kOrder>
struct OnHost {
  /// Values in the memory of the device.
  template <typename T>
  class Memory {
   public:
    explicit Memory(std::vector<T> values) : values_(std::move(values)) {}
    [[nodiscard]] DeviceSpan<T> span() {
      return {values_.data(), static_cast<std::int64_t>(values_.size())};
    }
    [[nodiscard]] std::vector<T> to_host() const { return values_; }

   private:
    std::vector<T> values_;
  };

  static std::unique_ptr<DeviceCodec> make(QuantizeConfig config) {
    return std::make_unique<QuantizeOn<HostRunner>>(config, HostRunner(kOrder));
  }
  static std::unique_ptr<DeviceCodec> make(TopKConfig config) {
    return std::make_unique<TopKOn<HostRunner>>(config, HostRunner(kOrder));
  }
  template <typename T>
  static void add_residual(DeviceSpan<const T> residual, DeviceSpan<const float> gradient,
                           DeviceSpan<float> owed) {
    HostRunner runner(kOrder);
    add_residual_on(runner, residual, gradient, owed);
  }
  static void keep_residual(DeviceSpan<const float> owed, DeviceSpan<BFloat16> residual) {
    HostRunner runner(kOrder);
    keep_residual_on(runner, owed, residual);
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
