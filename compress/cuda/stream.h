// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace convoy::compress::cuda {

/// A cudaStream_t, for headers that name no CUDA. Null is the default stream.
using Stream = void*;

}  // namespace convoy::compress::cuda
