// SPDX-License-Identifier: Apache-2.0
#include "compress/level.h"

#include <spdlog/fmt/fmt.h>

namespace convoy::compress {

std::string to_text(Level level) {
  if (level.is_dense()) return "dense";
  return level.is_half() ? "half" : fmt::format("{}", level.value());
}

}  // namespace convoy::compress
