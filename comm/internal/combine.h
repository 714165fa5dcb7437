// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "comm/communicator.h"

namespace convoy::comm::internal {

/// result[i] = ((inputs[0][i] op inputs[1][i]) op inputs[2][i]) ..., in this order. float16 and
/// bfloat16 are combined in float32 and rounded once; integer sums wrap round; a NaN makes the
/// minimum and maximum depend on the order, which is the same on all ranks. All spans have the size
/// of `result`, which may be one of the inputs. Aligned for `dtype`.
void combine(DType dtype, ReduceOp op, std::span<const std::byte* const> inputs,
             std::span<std::byte> result);

}  // namespace convoy::comm::internal
