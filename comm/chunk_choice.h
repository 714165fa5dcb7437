// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "comm/communicator.h"

namespace convoy::comm {

/// How long sums take in messages of one size.
struct ChunkTrial {
  std::size_t chunk_bytes = 0;
  double seconds = 0.0;  ///< the slowest rank's; the median of several
  double least_seconds = 0.0;
};

/// Times sums of `sum_bytes` with messages of 64 KiB to 1 MiB, the present size among them. Shorter
/// sums instead where the link is so slow that all would take longer than `budget`. Empty where
/// messages make no difference. Collective, blocking; leaves the communicator as it is.
/// @return the same on all ranks, the present size first. @throws CommError.
[[nodiscard]] std::vector<ChunkTrial> time_chunks(
    Communicator& communicator, std::size_t sum_bytes,
    std::chrono::duration<double> budget = std::chrono::milliseconds(400));

/// The size of the fastest trial if it is clearly faster, at its median, than the first ever was;
/// else the first one's. Pure.
/// @throws ContractError if there is none.
[[nodiscard]] std::size_t fastest_chunk(const std::vector<ChunkTrial>& trials);

}  // namespace convoy::comm
