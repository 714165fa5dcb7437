// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "comm/communicator.h"
#include "trainer/checkpoint/internal/manifest.h"
#include "trainer/named_tensor.h"

namespace convoy::trainer::internal {

/// The rank tensors of a checkpoint for another number of ranks than wrote it (see kMeanPrefix):
/// the same on all ranks. Rank 0 reads one old rank's file at a time. A tensor that some old ranks
/// lack counts as zero there. Where a file is missing or damaged the means are left out, with a
/// warning.
/// Collective.
/// @throws CommError.
[[nodiscard]] std::vector<NamedTensor> mean_rank_tensors(comm::Communicator& communicator,
                                                         const std::filesystem::path& path,
                                                         const Manifest& manifest);

}  // namespace convoy::trainer::internal
