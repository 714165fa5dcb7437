// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "comm/communicator.h"
#include "launch/process/run_directory.h"

namespace convoy::launch {

/// Where a run writes and goes on from, the same on all ranks: rank 0 calls `find`. Collective.
/// @throws what `find` throws, on all ranks.
[[nodiscard]] ResumePoint same_place(comm::Communicator& communicator,
                                     const std::function<ResumePoint()>& find);

}  // namespace convoy::launch
