// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <string>

#include "comm/internal/transport.h"

namespace convoy::comm::nccl {

/// @throws internal::TransportError "cudaEventRecord: invalid resource handle (400)".
void check_cuda(cudaError_t result, const char* call);

/// ncclInProgress passes: the communicators here do not block.
/// @param comm  whose last error is added, where there is one.
/// @throws internal::TransportError with the call and NCCL's own texts.
void check_nccl(ncclResult_t result, const char* call, ncclComm_t comm = nullptr);

/// For destructors: a line in the log instead of an exception.
void warn_cuda(cudaError_t result, const char* call) noexcept;
void warn_nccl(ncclResult_t result, const char* call) noexcept;

}  // namespace convoy::comm::nccl
