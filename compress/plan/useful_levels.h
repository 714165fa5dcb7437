// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compress/plan/table.h"

namespace convoy::compress {

/// Takes out the levels below `reference` that lose at least as much as sending nothing would:
/// ||g - decode(encode(g))||^2 >= ||g||^2. Error feedback needs a contraction (arXiv:1901.09847);
/// without one the residual grows from step to step. One bit for each value of a wide group is such
/// a level: both values that it has lie far from most of the group.
/// @param squared_norm  ||g||^2 of the layer whose table this is. Pure.
void drop_useless_levels(LayerTable& layer, double squared_norm, Level reference);

}  // namespace convoy::compress
