// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "trainer/data/dataset.h"
#include "trainer/models/model_config.h"
#include "trainer/models/network.h"

namespace convoy::trainer {

/// A small convolutional network for images [C, H, W] of at least 4 x 4: two 3x3 convolutions of
/// `width` and 2 `width` channels, each with max-pooling by 2 and ReLU, one hidden layer, dropout,
/// head. No BatchNorm: the result does not depend on how a batch is cut over ranks.
[[nodiscard]] std::shared_ptr<Network> make_cnn(const ModelConfig& config, const DataInfo& info);

}  // namespace convoy::trainer
