// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "trainer/data/dataset.h"
#include "trainer/models/model_config.h"
#include "trainer/models/network.h"

namespace convoy::trainer {

/// A small vision transformer (arXiv:2010.11929) for images [C, H, W]: tokens are patches of
/// `patch` x `patch` pixels, `layers` pre-norm blocks of width `dim`, learned positions.
/// Deviation: the head reads the mean over tokens in place of a class token.
[[nodiscard]] std::shared_ptr<Network> make_vit(const ModelConfig& config, const DataInfo& info);

}  // namespace convoy::trainer
