// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "trainer/data/data_config.h"
#include "trainer/data/internal/table.h"

namespace convoy::trainer::internal {

/// Gaussian clusters, one for each class, of unit variance in each feature; the centres lie about
/// 5.7 apart, so a good model errs on few samples and a linear one learns most. Sample i belongs
/// to class i modulo classes and depends on seed and i only.
/// @param count at most config.samples.
[[nodiscard]] Table make_clusters(const DataConfig& config, std::int64_t count, std::uint64_t seed);

}  // namespace convoy::trainer::internal
