// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "trainer/data/dataset.h"
#include "trainer/models/model_config.h"
#include "trainer/models/network.h"

namespace convoy::trainer {

/// Fully connected: `layers` hidden layers of `hidden` units with ReLU and dropout, then the
/// head. Takes images and plain features alike. Parameters: hidden.0.weight, ..., head.bias.
[[nodiscard]] std::shared_ptr<Network> make_mlp(const ModelConfig& config, const DataInfo& info);

}  // namespace convoy::trainer
