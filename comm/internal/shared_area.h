// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "comm/internal/stream.h"

namespace convoy::comm::internal {

/// Memory that all ranks of a communicator see, where they are on one host: sums go through it
/// without messages. Every rank writes its own part only: counters, slots and why it has left.
///
/// Sums are cut into *rounds*, numbered through the life of the communicator. In round t a rank
/// posts its values in its slot t % kSlots, adds its piece of everybody's values, and collects the
/// others' results from their slots. The counters say how many rounds have come so far; a slot is
/// free again when all ranks have collected.
class SharedArea {
 public:
  static constexpr std::size_t kSlots = 8;
  static constexpr std::size_t kRoundBytes = std::size_t{128} << 10;

  /// What a round belongs to: ranks that disagree find out here.
  struct Header {
    CallMark mark;
    std::uint64_t chunk_bytes = 0;
  };
  struct Slot {
    Header header;
    alignas(64) std::array<std::byte, kRoundBytes> bytes;
  };
  /// Rounds done. Released by the owner after the slot is written, acquired by the others.
  struct Counters {
    alignas(64) std::atomic<std::uint64_t> posted;
    alignas(64) std::atomic<std::uint64_t> reduced;
    alignas(64) std::atomic<std::uint64_t> collected;
  };
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "processes share no mutex");

  [[nodiscard]] static std::size_t bytes(int ranks) {
    return sizeof(Part) * static_cast<std::size_t>(ranks);
  }
  /// @param memory  bytes(ranks) of it, zero when the first rank comes, aligned for a page.
  SharedArea(std::span<std::byte> memory, int rank, int ranks);

  [[nodiscard]] Counters& counters(int rank) { return part(rank).counters; }
  [[nodiscard]] Slot& slot(int rank, std::uint64_t round) {
    return part(rank).slots[round % kSlots];
  }
  /// The next `rounds` rounds are the caller's; in the order of the calls, alike on all ranks.
  /// @return the first.
  [[nodiscard]] std::uint64_t reserve(std::uint64_t rounds);

  /// Lets the others know of a collective of this rank, whatever way its data goes.
  void announce(const CallMark& mark);
  /// The call of that sequence of `rank`, if it is one of its last eight.
  [[nodiscard]] std::optional<CallMark> announced(int rank, std::uint64_t sequence);
  /// Whether `rank` has come to the call of that sequence, however long ago.
  [[nodiscard]] bool has_announced(int rank, std::uint64_t sequence) {
    return part(rank).calls[sequence % kCalls].sequence >= sequence;
  }
  /// The sequence of the last one; 0 before the first.
  [[nodiscard]] std::uint64_t last_announced(int rank) { return part(rank).last_call; }

  /// This rank posts nothing any more; the first reason stays.
  void leave(const std::string& failure);
  /// Why `rank` has left, perhaps empty; none while it has not.
  [[nodiscard]] std::optional<std::string> why_left(int rank);

  /// Grows when `rank` is to look again; a futex.
  struct Bell {
    std::atomic<std::uint32_t> rings;
    std::atomic<std::uint32_t> sleepers;
  };
  static_assert(sizeof(std::atomic<std::uint32_t>) == 4, "a futex has 32 bits");
  [[nodiscard]] Bell& bell(int rank) { return part(rank).bell; }
  /// Wakes the other ranks where they sleep on their bells.
  void ring_others();

 private:
  static constexpr std::size_t kCalls = 8;
  // Its owner writes the sequence first (0) and last, and readers look at it twice.
  struct Announcement {
    std::atomic<std::uint64_t> sequence;
    std::atomic<std::uint64_t> signature_and_context;
    std::atomic<std::uint64_t> total_bytes;
  };
  struct Part {
    Counters counters;
    alignas(64) std::array<Announcement, kCalls> calls;
    std::atomic<std::uint64_t> last_call;
    alignas(64) Bell bell;
    alignas(64) std::atomic<std::uint32_t> has_left;
    std::array<char, 508> reason;
    alignas(4096) std::array<Slot, kSlots> slots;
  };
  [[nodiscard]] Part& part(int rank) { return parts_[static_cast<std::size_t>(rank)]; }

  std::span<Part> parts_;
  int rank_;
  std::uint64_t reserved_ = 0;
};

}  // namespace convoy::comm::internal
