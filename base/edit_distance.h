// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace convoy {

/// Least number of inserted, removed, replaced or swapped neighbouring characters that turn `a`
/// into `b` (optimal string alignment). O(|a| |b|).
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace convoy
