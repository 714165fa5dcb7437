// SPDX-License-Identifier: Apache-2.0
#include "tests/compress/cuda/host_memory.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace convoy::compress::cuda {
namespace {

constexpr std::size_t kGuardBytes = 64;
constexpr std::byte kGuard{0xA7};
constexpr std::byte kGarbage{0xCD};

std::atomic<std::int64_t> live{0};

bool is_whole(const std::byte* guard) {
  return std::all_of(guard, guard + kGuardBytes, [](std::byte byte) { return byte == kGuard; });
}

void free_guarded(std::byte* whole, std::size_t bytes) {
  if (!is_whole(whole) || !is_whole(whole + kGuardBytes + bytes)) {
    std::fprintf(stderr, "written beyond device memory of %zu bytes\n", bytes);
    std::abort();
  }
  ::operator delete(whole);
  --live;
}

}  // namespace

std::shared_ptr<std::byte> allocate_guarded(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  auto* whole = static_cast<std::byte*>(::operator new(bytes + 2 * kGuardBytes));
  std::fill_n(whole, kGuardBytes, kGuard);
  std::fill_n(whole + kGuardBytes, bytes, kGarbage);
  std::fill_n(whole + kGuardBytes + bytes, kGuardBytes, kGuard);
  ++live;
  return {whole + kGuardBytes, [whole, bytes](std::byte*) { free_guarded(whole, bytes); }};
}

std::int64_t live_guarded_allocations() { return live; }

}  // namespace convoy::compress::cuda
