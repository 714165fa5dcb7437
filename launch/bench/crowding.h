// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.h"

namespace convoy::launch {

/// Where a rank runs.
struct Seat {
  std::int64_t machine = 0;  ///< equal for ranks of one machine, on whatever emulated host
  int cores = 1;             ///< of that machine
};

/// For each number n of ranks 1, 2, ..., as many as there are seats: the ranks a core of the
/// machine where the first n have least room; 1 where all have a core.
[[nodiscard]] std::vector<double> crowding(const std::vector<Seat>& seats);
/// The same of the ranks of `communicator`. Collective. @throws CommError.
[[nodiscard]] std::vector<double> crowding(comm::Communicator& communicator);

}  // namespace convoy::launch
