// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace convoy::launch {

/// Of at least one value.
[[nodiscard]] double mean(const std::vector<double>& values);
[[nodiscard]] double median(std::vector<double> values);
/// Median absolute deviation from the median.
[[nodiscard]] double spread(std::vector<double> values);

}  // namespace convoy::launch
