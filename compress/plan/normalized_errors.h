// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compress/plan/table.h"

namespace convoy::compress {

/// Divides the errors of a layer by the mean square of its gradient: numel * error / ||g||^2. For
/// optimizers that do so themselves (Adam): they make an error in a layer of small gradients as
/// harmful as one in a layer of large gradients, where squared L2 sees the second only.
/// @param squared_norm  ||g||^2 of the layer whose table this is; at 0 nothing changes. Pure.
void normalize_errors(LayerTable& layer, double squared_norm);

}  // namespace convoy::compress
