// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "comm/communicator.h"

namespace convoy::trainer {

/// `communication.chunk_kb = "auto"`: gives `communicator`, and those split off from it later, the
/// fastest size for sums of `sum_bytes`, which rank 0 logs. Collective.
/// @param saved_kb  rank 0's: the choice of a checkpoint, which is taken over; 0: there is none.
/// @return KiB of a message, or 0 where messages make no difference; the same on all ranks.
std::int64_t choose_chunks(comm::Communicator& communicator, std::size_t sum_bytes,
                           std::int64_t saved_kb);

}  // namespace convoy::trainer
