// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "trainer/data/dataset.h"
#include "trainer/models/model.h"
#include "trainer/models/model_config.h"

namespace convoy::trainer::internal {

/// The name is known and every size that this network reads is possible. @throws ConfigError.
void check_sizes(const ModelConfig& config);

/// A network of ours can read data of this kind. @throws ConfigError.
void check_fits_data(const ModelConfig& config, const DataInfo& info);

/// Runs one sample of zeros in evaluation mode and compares the shape of what comes out with what
/// the loss needs. Leaves the model in training mode. @throws ConfigError.
void check_output(Model& model, const DataInfo& info);

}  // namespace convoy::trainer::internal
