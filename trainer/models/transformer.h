// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "trainer/data/dataset.h"
#include "trainer/models/model_config.h"
#include "trainer/models/network.h"

namespace convoy::trainer {

/// A decoder-only transformer: tokens int64 [B, T] -> logits [B, T, classes] for the next one;
/// `layers` causal pre-norm blocks of width `dim`, learned positions, T up to that of the data.
/// The head is the token embedding again (arXiv:1608.05859), so that it is one parameter.
[[nodiscard]] std::shared_ptr<Network> make_transformer(const ModelConfig& config,
                                                        const DataInfo& info);

}  // namespace convoy::trainer
