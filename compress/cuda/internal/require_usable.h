// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "compress/cuda/usable.h"

namespace convoy::compress::cuda {

/// @throws CudaError that says why kernels cannot run, if they cannot.
inline void require_usable() {
  const std::string why = why_unusable();
  if (!why.empty()) throw CudaError(why);
}

}  // namespace convoy::compress::cuda
