// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/script.h>

namespace convoy::trainer::internal {

/// True when `method`, or anything that it calls, has an operation that draws random numbers in
/// training: dropout, bernoulli, rand, ... Reads the graph; runs nothing. Dropout counts whatever
/// its probability is.
[[nodiscard]] bool has_random_operations(const torch::jit::Method& method);

}  // namespace convoy::trainer::internal
