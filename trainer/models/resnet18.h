// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "trainer/data/dataset.h"
#include "trainer/models/network.h"

namespace convoy::trainer {

/// ResNet-18 (arXiv:1512.03385) in the shape that is usual for CIFAR: a 3x3 stem of stride 1 and no
/// max-pooling; 11,220,132 parameters for [3, 32, 32] and 100 classes. PyTorch's parameter names.
[[nodiscard]] std::shared_ptr<Network> make_resnet18(const DataInfo& info);

}  // namespace convoy::trainer
