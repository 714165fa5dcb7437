// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "comm/communicator.h"

namespace convoy::compress {

/// The turns of the collectives of one bucket, one after the other. Those of the next bucket may
/// come in between; their places are settled here, alike on all ranks.
class Turns {
 public:
  /// Every one of the `count` must be used.
  Turns(comm::Communicator& communicator, int count, comm::PlaceFor what, int priority)
      : priority_(priority), place_(communicator.reserve(count, what)) {}

  [[nodiscard]] comm::Turn next() { return {.priority = priority_, .place = place_++}; }

 private:
  int priority_;
  std::uint64_t place_;
};

}  // namespace convoy::compress
