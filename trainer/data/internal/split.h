// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/data/data_config.h"

namespace convoy::trainer::internal {

/// The share to hold back of a data set that has no test part of its own.
[[nodiscard]] double held_back_share(const DataConfig& config);

/// `share` of `count` samples, rounded, so that neither part is empty.
/// @throws ConfigError with `name` if there are fewer than two samples.
[[nodiscard]] std::int64_t held_back_count(std::int64_t count, double share,
                                           const std::string& name);

/// Sample numbers of the two parts, each ascending.
struct Split {
  std::vector<std::int64_t> train;
  std::vector<std::int64_t> test;
};

/// Draws held_back_count() samples for the test part. The same for the same arguments everywhere.
[[nodiscard]] Split split_at_random(std::int64_t count, double share, std::uint64_t seed,
                                    const std::string& name);

}  // namespace convoy::trainer::internal
