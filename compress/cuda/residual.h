// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/half.h"
#include "compress/cuda/device_span.h"
#include "compress/cuda/stream.h"

// The updates of error feedback on a GPU, with the bits that the CPU gives. All spans of a call
// have one size (ContractError otherwise); the calls return when the work is queued on `stream`.
// What was sent is taken off by DeviceCodec::add_decoded() with scale -1.

namespace convoy::compress::cuda {

/// owed[i] = residual[i] + gradient[i]. `owed` may be one of the others.
void add_residual(DeviceSpan<const float> residual, DeviceSpan<const float> gradient,
                  DeviceSpan<float> owed, Stream stream);
/// The same with a residual that is kept in 16 bits.
void add_residual(DeviceSpan<const BFloat16> residual, DeviceSpan<const float> gradient,
                  DeviceSpan<float> owed, Stream stream);
/// residual[i] = owed[i], rounded to 16 bits.
void keep_residual(DeviceSpan<const float> owed, DeviceSpan<BFloat16> residual, Stream stream);

}  // namespace convoy::compress::cuda
