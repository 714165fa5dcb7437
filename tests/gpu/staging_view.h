// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "comm/communicator.h"
#include "comm/nccl/nccl.h"

namespace convoy::tests {

/// A communicator whose callers give host memory, and which hands copies on as device memory: what
/// the tests of host backends need to run on NCCL. Made with a stream of its own, for copies, on
/// the current device; like it, `bytes` of device and pinned memory are shared with its parts.
/// Collective.
[[nodiscard]] std::unique_ptr<comm::Communicator> make_staging_nccl(comm::Communicator& bootstrap,
                                                                    comm::nccl::Options options,
                                                                    std::size_t bytes);

}  // namespace convoy::tests
