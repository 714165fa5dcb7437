// SPDX-License-Identifier: Apache-2.0
#include "tests/gpu/device_arena.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace convoy::tests {
namespace {

constexpr std::size_t kAlignment = 256;  // what cudaMalloc promises

std::size_t rounded(std::size_t bytes) {
  return std::max((bytes + kAlignment - 1) / kAlignment, std::size_t{1}) * kAlignment;
}

}  // namespace

DeviceArena::DeviceArena(std::size_t bytes)
    : device_(comm::nccl::make_device_memory(bytes)),
      pinned_(comm::nccl::make_pinned_memory(bytes)),
      free_{{0, bytes}} {}

std::shared_ptr<DeviceArena::Piece> DeviceArena::take(std::size_t bytes) {
  const std::size_t size = rounded(bytes);
  const std::lock_guard lock(mutex_);
  const auto found =
      std::ranges::find_if(free_, [&](const auto& range) { return range.second >= size; });
  if (found == free_.end()) throw std::runtime_error("the test's device memory is used up");
  const std::size_t at = found->first;
  const std::size_t left = found->second - size;
  free_.erase(found);
  if (left > 0) free_[at + size] = left;
  return {new Piece{device_.get() + at, pinned_.get() + at},
          [arena = shared_from_this(), at, size](Piece* piece) {
            arena->give_back(at, size);
            delete piece;
          }};
}

void DeviceArena::give_back(std::size_t at, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto range = free_.emplace(at, bytes).first;
  const auto after = std::next(range);
  if (after != free_.end() && range->first + range->second == after->first) {
    range->second += after->second;
    free_.erase(after);
  }
  if (range == free_.begin()) return;
  const auto before = std::prev(range);
  if (before->first + before->second != range->first) return;
  before->second += range->second;
  free_.erase(range);
}

}  // namespace convoy::tests
