// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "trainer/data/dataset.h"
#include "trainer/models/network.h"

namespace convoy::trainer {

/// The 20-layer residual network for small images (arXiv:1512.03385, section 4.2): three stages of
/// three blocks with 16, 32 and 64 channels; 272,474 parameters for [3, 32, 32] and 10 classes.
/// Deviation: shortcuts are 1x1 convolutions where the paper pads with zeros.
[[nodiscard]] std::shared_ptr<Network> make_resnet20(const DataInfo& info);

}  // namespace convoy::trainer
