// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "comm/communicator.h"

namespace convoy::compress::internal {

/// The rank that works on each layer: the largest layers first, each to the rank with the least to
/// do. Pure. @param numels  in the order of the layers.
[[nodiscard]] std::vector<int> share_out(const std::vector<std::int64_t>& numels, int ranks);

/// What each layer's maker knows of it, on all ranks: [layers][per_layer].
/// @param own  of the layers that this rank makes, one after the other. Collective.
/// @throws CommError.
[[nodiscard]] std::vector<std::vector<double>> gather_by_maker(comm::Communicator& communicator,
                                                               const std::vector<int>& makers,
                                                               const std::vector<double>& own,
                                                               std::size_t per_layer);

}  // namespace convoy::compress::internal
