// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>

#include "comm/communicator.h"

namespace convoy::comm::nccl {

/// The numbers of collectives in their common order; see Communicator::reserve().
class Places {
 public:
  /// @return the first of `count`.
  [[nodiscard]] std::uint64_t reserve(int count, PlaceFor what);
  /// The same with places that somebody else has counted, from `first` on.
  void add(std::uint64_t first, int count, PlaceFor what);
  /// The place of a call: `wanted` where it is reserved for that, the next one for 0.
  /// @return 0 where it is not.
  [[nodiscard]] std::uint64_t take(std::uint64_t wanted, PlaceFor what);
  /// Somebody else checks a call with that place.
  void forget(std::uint64_t place) { open_.erase(place); }

 private:
  std::uint64_t given_ = 0;
  std::map<std::uint64_t, PlaceFor> open_;  // reserved and not taken
};

}  // namespace convoy::comm::nccl
