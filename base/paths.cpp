// SPDX-License-Identifier: Apache-2.0
#include "base/paths.h"

#include <algorithm>

namespace convoy {

bool is_inside(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto inner = std::filesystem::weakly_canonical(std::filesystem::absolute(path));
  const auto outer = std::filesystem::weakly_canonical(std::filesystem::absolute(folder));
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

}  // namespace convoy
