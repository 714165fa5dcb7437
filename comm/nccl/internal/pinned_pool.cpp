// SPDX-License-Identifier: Apache-2.0
#include "comm/nccl/internal/pinned_pool.h"

#include <algorithm>
#include <bit>
#include <exception>
#include <utility>

namespace convoy::comm::nccl {
namespace {

constexpr std::size_t kLeast = std::size_t{4} << 10;

// Sizes that differ little share blocks; at most an eighth is lost.
std::size_t rounded(std::size_t bytes) {
  const std::size_t step = std::max(kLeast, std::bit_floor(bytes) / 8);
  return (bytes + step - 1) / step * step;
}

}  // namespace

std::shared_ptr<std::byte> PinnedPool::take(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  std::size_t size = rounded(bytes);
  PinnedMemory memory;
  {
    const std::lock_guard lock(mutex_);
    const auto fits = free_.lower_bound(size);
    // A much larger one is left to those who need it.
    if (fits != free_.end() && fits->first / 2 <= size) {
      size = fits->first;
      memory = std::move(fits->second);
      free_.erase(fits);
    }
  }
  if (memory.get() == nullptr) memory = make_pinned_memory(size);
  std::byte* const data = memory.release();
  return {data, [pool = shared_from_this(), size](std::byte* own) {
            pool->give_back(size, PinnedMemory(own));
          }};
}

void PinnedPool::give_back(std::size_t bytes, PinnedMemory memory) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    free_.emplace(bytes, std::move(memory));
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): it is freed instead
  }
}

}  // namespace convoy::comm::nccl
