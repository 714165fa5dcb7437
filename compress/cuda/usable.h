// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace convoy::compress::cuda {

/// A call of the CUDA runtime failed, or CUDA cannot be used here. The message has the call and the
/// runtime's own text, or what is missing and what to install.
class CudaError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Whether this program was built with CUDA kernels.
[[nodiscard]] bool is_built();
/// What keeps CUDA kernels from running here, and what would help: built without, no driver, or no
/// device. Empty if nothing does.
[[nodiscard]] std::string why_unusable();

}  // namespace convoy::compress::cuda
