// SPDX-License-Identifier: Apache-2.0
#include "comm/internal/shared_area.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/errors.h"
#include "comm/internal/shared_wakeup.h"

namespace convoy::comm::internal {

// The memory is zero, which is what all of it starts with: a constructor that ran later than
// another rank's first sum would wipe it out.
SharedArea::SharedArea(std::span<std::byte> memory, int rank, int ranks)
    : parts_(reinterpret_cast<Part*>(memory.data()), static_cast<std::size_t>(ranks)), rank_(rank) {
  require(memory.size() >= bytes(ranks), "a shared area needs more memory");
}

std::uint64_t SharedArea::reserve(std::uint64_t rounds) {
  return std::exchange(reserved_, reserved_ + rounds);
}

void SharedArea::announce(const CallMark& mark) {
  Part& own = part(rank_);
  Announcement& call = own.calls[mark.sequence % kCalls];
  const Signature& signature = mark.signature;
  const std::uint64_t packed = static_cast<std::uint64_t>(signature.kind) |
                               static_cast<std::uint64_t>(signature.dtype) << 8U |
                               static_cast<std::uint64_t>(signature.op) << 16U |
                               static_cast<std::uint64_t>(mark.context) << 32U;
  call.sequence.store(0, std::memory_order_relaxed);
  call.signature_and_context.store(packed, std::memory_order_release);
  call.total_bytes.store(mark.total_bytes, std::memory_order_release);
  call.sequence.store(mark.sequence, std::memory_order_release);
  // Reserved places may be used late.
  if (mark.sequence > own.last_call.load(std::memory_order_relaxed)) {
    own.last_call.store(mark.sequence, std::memory_order_release);
  }
}

std::optional<CallMark> SharedArea::announced(int rank, std::uint64_t sequence) {
  const Announcement& call = part(rank).calls[sequence % kCalls];
  if (call.sequence.load(std::memory_order_acquire) != sequence) return {};
  const auto packed = call.signature_and_context.load(std::memory_order_acquire);
  const auto bytes = call.total_bytes.load(std::memory_order_acquire);
  if (call.sequence.load(std::memory_order_acquire) != sequence) return {};
  const auto byte = [&](unsigned shift) { return static_cast<std::uint8_t>(packed >> shift); };
  return CallMark{
      {static_cast<Kind>(byte(0)), static_cast<DType>(byte(8)), static_cast<ReduceOp>(byte(16))},
      static_cast<std::uint32_t>(packed >> 32U),
      sequence,
      bytes};
}

void SharedArea::leave(const std::string& failure) {
  Part& own = part(rank_);
  if (own.has_left.load(std::memory_order_relaxed) != 0) return;
  const std::size_t length = std::min(failure.size(), own.reason.size() - 1);
  std::memcpy(own.reason.data(), failure.data(), length);
  own.has_left.store(1, std::memory_order_release);
  ring_others();
}

std::optional<std::string> SharedArea::why_left(int rank) {
  Part& other = part(rank);
  if (other.has_left.load(std::memory_order_acquire) == 0) return {};
  return std::string(other.reason.data());
}

void SharedArea::ring_others() {
  for (std::size_t rank = 0; rank < parts_.size(); ++rank) {
    if (rank != static_cast<std::size_t>(rank_)) ring(parts_[rank].bell);
  }
}

}  // namespace convoy::comm::internal
