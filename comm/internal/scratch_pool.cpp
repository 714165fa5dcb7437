// SPDX-License-Identifier: Apache-2.0
#include "comm/internal/scratch_pool.h"

#include <algorithm>
#include <bit>
#include <new>

#include "base/errors.h"

namespace convoy::comm::internal {
namespace {

// What comes back beyond this is freed.
constexpr std::size_t kMostIdleBytes = std::size_t{256} << 20;
constexpr std::size_t kLeastBytes = 64;

}  // namespace

Scratch::~Scratch() {
  if (pool_ != nullptr) pool_->give_back(bytes_);
}

std::size_t ScratchPool::class_of(std::size_t bytes) {
  return static_cast<std::size_t>(std::bit_width(std::max(bytes, kLeastBytes) - 1));
}

ScratchPool::~ScratchPool() {
  for (Idle* first : idle_) {
    while (first != nullptr) ::operator delete(std::exchange(first, first->next));
  }
}

Scratch ScratchPool::take(std::size_t bytes) {
  if (bytes == 0) return {};
  const std::size_t size_class = class_of(bytes);
  require(size_class < kClasses, "more scratch memory than any machine has");
  {
    const std::lock_guard lock(mutex_);
    if (Idle* first = idle_[size_class]) {
      idle_[size_class] = first->next;
      idle_bytes_ -= std::size_t{1} << size_class;
      return {*this, {reinterpret_cast<std::byte*>(first), bytes}};
    }
  }
  void* fresh = ::operator new (std::size_t{1} << size_class);
  return {*this, {static_cast<std::byte*>(fresh), bytes}};
}

void ScratchPool::give_back(std::span<std::byte> bytes) noexcept {
  const std::size_t size_class = class_of(bytes.size());
  const std::size_t whole = std::size_t{1} << size_class;
  {
    const std::lock_guard lock(mutex_);
    if (idle_bytes_ + whole <= kMostIdleBytes) {
      idle_[size_class] = new (bytes.data()) Idle{idle_[size_class]};
      idle_bytes_ += whole;
      return;
    }
  }
  ::operator delete(bytes.data());
}

}  // namespace convoy::comm::internal
