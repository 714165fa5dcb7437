// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "base/errors.h"

namespace convoy::trainer::internal {

/// @throws ContractError unless all of `indices` are in [0, size).
inline void check_indices(std::span<const std::int64_t> indices, std::int64_t size) {
  for (const std::int64_t index : indices) {
    require(index >= 0 && index < size, "Dataset::get: an index is not below size()");
  }
}

}  // namespace convoy::trainer::internal
