// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compress/reduce/reducer.h"

namespace convoy::compress::internal {

/// The arrays of `state` whose names begin with `prefix`, by the rest of the name. Borrows them.
[[nodiscard]] inline std::map<std::string, const std::vector<float>*> entries_of(
    const ReducerState& state, const std::string& prefix) {
  std::map<std::string, const std::vector<float>*> entries;
  for (auto it = state.arrays.lower_bound(prefix);
       it != state.arrays.end() && it->first.starts_with(prefix); ++it) {
    entries[it->first.substr(prefix.size())] = &it->second;
  }
  return entries;
}

}  // namespace convoy::compress::internal
