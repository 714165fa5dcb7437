// SPDX-License-Identifier: Apache-2.0
#include "comm/nccl/internal/places.h"

namespace convoy::comm::nccl {

std::uint64_t Places::reserve(int count, PlaceFor what) {
  const std::uint64_t first = given_ + 1;
  add(first, count, what);
  given_ += static_cast<std::uint64_t>(count);
  return first;
}

void Places::add(std::uint64_t first, int count, PlaceFor what) {
  for (int i = 0; i < count; ++i) open_.emplace(first + static_cast<std::uint64_t>(i), what);
}

std::uint64_t Places::take(std::uint64_t wanted, PlaceFor what) {
  if (wanted == 0) return ++given_;
  const auto place = open_.find(wanted);
  if (place == open_.end() || place->second != what) return 0;
  open_.erase(place);
  return wanted;
}

}  // namespace convoy::comm::nccl
