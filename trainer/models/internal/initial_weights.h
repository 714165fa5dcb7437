// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "trainer/models/model.h"

namespace convoy::trainer::internal {

/// Copies the state dictionary in `path` into the model's parameters and buffers.
/// @throws ConfigError that names the first entries that are missing, unknown or of another shape;
///         the model is then unchanged.
void load_initial_weights(const Model& model, const std::string& path);

}  // namespace convoy::trainer::internal
