// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "trainer/named_tensor.h"

namespace convoy::trainer {

/// Copies on the host of a device's parameters, for an optimizer to work on.
class HostParameters {
 public:
  explicit HostParameters(const std::vector<NamedTensor>& on_device);

  /// The copies, in the same order and by the same names.
  [[nodiscard]] const std::vector<NamedTensor>& copies() const { return on_host_; }
  /// Copies the values anew, after others have written them on the device.
  void refresh();
  /// The gradient of one parameter to the host; undefined where it is so on the device.
  void take_gradient(std::size_t parameter);
  /// The value of one parameter to the device.
  void give_value(std::size_t parameter) const;

 private:
  std::vector<NamedTensor> on_device_;
  std::vector<NamedTensor> on_host_;
};

}  // namespace convoy::trainer
