// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace convoy::trainer {

/// When gradients travel. The same numbers whatever it is.
enum class Overlap : std::uint8_t {
  kOff,          ///< after backward
  kBackward,     ///< while backward goes on
  kNextForward,  ///< on into the next forward pass: each layer waits for its own average only
};

}  // namespace convoy::trainer
