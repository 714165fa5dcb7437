// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "compress/cuda/engine.h"
#include "compress/reduce/executor.h"

namespace convoy::compress {

/// Works on a device. Codecs without kernels for it, as a user's own, work on the host, with
/// copies.
[[nodiscard]] std::shared_ptr<Executor> device_executor(std::unique_ptr<cuda::Engine> engine);

}  // namespace convoy::compress
