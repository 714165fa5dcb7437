// SPDX-License-Identifier: Apache-2.0
#include "compress/level.h"

#include <spdlog/fmt/fmt.h>

namespace convoy::compress {

std::string to_text(Level level) {
  return level.is_dense() ? "dense" : fmt::format("{}", level.value());
}

}  // namespace convoy::compress
