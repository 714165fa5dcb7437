// SPDX-License-Identifier: Apache-2.0
#include "base/timeline.h"

#include <array>

namespace convoy {

std::string_view name(Phase phase) {
  static constexpr std::array<std::string_view, kPhases> kNames{
      "forward", "backward", "optimizer", "exposed", "encode", "wire", "decode", "data"};
  return kNames[static_cast<std::size_t>(phase)];
}

}  // namespace convoy
