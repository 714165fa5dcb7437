// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "compress/cuda/engine.h"

namespace convoy::compress::cuda {

/// The kernels on the host, thread after thread, for tests of what is built on an Engine: device
/// memory is guarded host memory (host_memory.h), all is done when a call returns, stream() is
/// null.
[[nodiscard]] std::unique_ptr<Engine> make_host_engine();

}  // namespace convoy::compress::cuda
