// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "comm/nccl/internal/handles.h"
#include "compress/cuda/engine.h"

namespace convoy::compress::cuda {

/// As make_host_engine(), but what is called stands on a stream of the double (tests/nccl_double),
/// whose thread does it later: who does not wait, or waits for the wrong stream, reads garbage.
/// Calls of a thread that has not entered are counted as uses of a wrong device.
/// @param stream  of the double, which outlives the engine; null: one of its own.
[[nodiscard]] std::unique_ptr<Engine> make_queued_engine(cudaStream_t stream = nullptr);

}  // namespace convoy::compress::cuda
