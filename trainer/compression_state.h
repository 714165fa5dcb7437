// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "compress/reduce/reducer.h"
#include "trainer/named_tensor.h"

namespace convoy::trainer {

// What compression remembers, as the tensors of one rank in a checkpoint.

[[nodiscard]] std::vector<NamedTensor> to_tensors(const compress::ReducerState& state);
/// The inverse; other tensors are passed by.
[[nodiscard]] compress::ReducerState reducer_state(const std::vector<NamedTensor>& tensors);

}  // namespace convoy::trainer
