// SPDX-License-Identifier: Apache-2.0
// Sums in rank order through memory that all ranks see; see shared_area.h for the words.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "comm/internal/collectives.h"
#include "comm/internal/combine.h"
#include "comm/internal/shared_area.h"

namespace convoy::comm::internal {
namespace {

using Counter = std::atomic<std::uint64_t>;

class SharedAllReduce final : public Exchange {
 public:
  SharedAllReduce(const Layout& layout, const Buffer& values, ReduceOp op)
      : Exchange({Kind::kAllReduce, values.dtype, values.numel(), op}, layout),
        area_(*layout.shared),
        own_(area_.counters(layout.rank)),
        values_(values.bytes),
        rounds_{values.bytes.size(), round_bytes(layout.size)},
        // Everybody adds all of a short buffer: one wait for the others instead of two.
        pieces_(values.bytes.size() > kOneRoundBytes),
        inputs_(static_cast<std::size_t>(layout.size)) {}

  // The rounds of all ranks' sums are numbered alike.
  [[nodiscard]] bool begins_in_order() const override { return first_ == kNotReserved; }

  [[nodiscard]] bool advance(Transport& transport) override {
    if (first_ == kNotReserved) first_ = area_.reserve(rounds_.count());
    int untold = 0;
    while (post() | reduce() | collect()) {
      if (++untold < kTellEvery) continue;
      transport.signal_peers();
      untold = 0;
    }
    if (untold > 0) transport.signal_peers();
    return collected_ == rounds_.count();
  }

  [[nodiscard]] std::string describe_delay(std::chrono::milliseconds waited) const override {
    if (first_ == kNotReserved) {
      return fmt::format("not begun within {:.1f} s, as an earlier sum of this rank has not",
                         static_cast<double>(waited.count()) / 1000.0);
    }
    return fmt::format("no data from rank {} within {:.1f} s (received {} of {} bytes)",
                       furthest_behind(), static_cast<double>(waited.count()) / 1000.0,
                       rounds_.bytes_of_first(collected_), rounds_.total_bytes);
  }

  void note_heard(std::span<std::uint64_t> heard_in) const override {
    for (int rank = 0; rank < layout().size; ++rank) {
      auto& heard = heard_in[static_cast<std::size_t>(rank)];
      if (has_posted(rank)) heard = std::max(heard, call().sequence);
    }
  }

  [[nodiscard]] bool awaits(int rank) const override {
    return first_ != kNotReserved && !has_posted(rank);
  }

 private:
  static constexpr std::uint64_t kNotReserved = UINT64_MAX;
  // Who sleeps is woken for several steps at a time: for one it often has to wait on for others.
  static constexpr int kTellEvery = 4;

  // Equal pieces for all ranks.
  static std::size_t round_bytes(int ranks) {
    const std::size_t least = kAlignment * static_cast<std::size_t>(ranks);
    return SharedArea::kRoundBytes / least * least;
  }

  [[nodiscard]] bool has_posted(int rank) const {
    return area_.counters(rank).posted.load(std::memory_order_acquire) > first_;
  }

  // A run of bytes inside a round.
  struct Range {
    std::size_t begin = 0;
    std::size_t bytes = 0;
  };

  [[nodiscard]] std::span<std::byte> in_values(std::size_t round, Range range) const {
    return values_.subspan(rounds_.offset(round) + range.begin, range.bytes);
  }
  std::byte* in_slot(int rank, std::uint64_t number, Range range) {
    return area_.slot(rank, number).bytes.data() + range.begin;
  }
  // What `rank` adds of a round. Depends on the sizes only.
  [[nodiscard]] Range piece(std::size_t round, int rank) const {
    const auto size = static_cast<std::size_t>(layout().size);
    const auto r = static_cast<std::size_t>(rank);
    const std::size_t element = element_bytes(call().dtype);
    const std::size_t numel = rounds_.bytes(round) / element;
    return {numel * r / size * element, (numel * (r + 1) / size - numel * r / size) * element};
  }

  // The others wait for a rank that stands still, each as far on as it lets them: none has done
  // less.
  [[nodiscard]] int furthest_behind() const {
    int behind = layout().rank;
    std::uint64_t least = UINT64_MAX;
    for (int rank = 0; rank < layout().size; ++rank) {
      const SharedArea::Counters& counters = area_.counters(rank);
      const std::uint64_t done = counters.posted + counters.reduced + counters.collected;
      if (rank == layout().rank || done >= least) continue;
      behind = rank;
      least = done;
    }
    return behind;
  }

  // True when `rank` has come so far. @throws TransportError if it never will.
  bool has_reached(const Counter& counter, int rank, std::uint64_t rounds) {
    if (counter.load(std::memory_order_acquire) >= rounds) return true;
    const auto why = area_.why_left(rank);
    if (!why || counter.load(std::memory_order_acquire) >= rounds) return false;
    throw TransportError(fmt::format("rank {} has left the communicator{}", rank,
                                     why->empty() ? "" : " (" + *why + ")"),
                         true);
  }
  bool all_have_reached(Counter SharedArea::Counters::*counter, std::uint64_t rounds) {
    for (int rank = 0; rank < layout().size; ++rank) {
      if (!has_reached(area_.counters(rank).*counter, rank, rounds)) return false;
    }
    return true;
  }
  // Earlier sums of this rank go first: the counters count them all.
  [[nodiscard]] static bool is_turn(const Counter& counter, std::uint64_t number) {
    return counter.load(std::memory_order_relaxed) == number;
  }

  bool post() {
    const std::uint64_t number = first_ + posted_;
    if (posted_ == rounds_.count() || !is_turn(own_.posted, number)) return false;
    if (number >= SharedArea::kSlots &&
        !all_have_reached(&SharedArea::Counters::collected, number + 1 - SharedArea::kSlots)) {
      return false;
    }
    area_.slot(layout().rank, number).header = {mark(), layout().chunk_bytes};
    const std::size_t whole = rounds_.bytes(posted_);
    const Range own = pieces_ ? piece(posted_, layout().rank) : Range{whole, 0};
    for (const Range part :
         {Range{0, own.begin}, Range{own.begin + own.bytes, whole - own.begin - own.bytes}}) {
      if (part.bytes == 0) continue;
      std::memcpy(in_slot(layout().rank, number, part), in_values(posted_, part).data(),
                  part.bytes);
    }
    count_sent(pieces_ ? whole - own.bytes : whole * peers());
    own_.posted.store(number + 1, std::memory_order_release);
    ++posted_;
    return true;
  }

  bool reduce() {
    const std::uint64_t number = first_ + reduced_;
    if (reduced_ == posted_ || !is_turn(own_.reduced, number) ||
        !all_have_reached(&SharedArea::Counters::posted, number + 1)) {
      return false;
    }
    for (int rank = 0; rank < layout().size; ++rank) check_header(rank, number);
    const Range own = pieces_ ? piece(reduced_, layout().rank) : Range{0, rounds_.bytes(reduced_)};
    const auto result = in_values(reduced_, own);
    for (int rank = 0; rank < layout().size; ++rank) {
      inputs_[static_cast<std::size_t>(rank)] =
          rank == layout().rank ? result.data() : in_slot(rank, number, own);
    }
    combine(call().dtype, call().op, inputs_, result);
    if (pieces_ && own.bytes > 0) {
      std::memcpy(in_slot(layout().rank, number, own), result.data(), own.bytes);
      count_sent(own.bytes * peers());
    }
    own_.reduced.store(number + 1, std::memory_order_release);
    ++reduced_;
    return true;
  }

  bool collect() {
    const std::uint64_t number = first_ + collected_;
    if (collected_ == reduced_ || !is_turn(own_.collected, number)) return false;
    if (pieces_ && !all_have_reached(&SharedArea::Counters::reduced, number + 1)) return false;
    for (int rank = 0; pieces_ && rank < layout().size; ++rank) {
      const Range theirs = piece(collected_, rank);
      if (rank == layout().rank || theirs.bytes == 0) continue;
      std::memcpy(in_values(collected_, theirs).data(), in_slot(rank, number, theirs),
                  theirs.bytes);
    }
    own_.collected.store(number + 1, std::memory_order_release);
    ++collected_;
    return true;
  }

  [[nodiscard]] std::uint64_t peers() const {
    return static_cast<std::uint64_t>(layout().size) - 1;
  }
  void check_header(int rank, std::uint64_t number) {
    if (rank == layout().rank) return;
    const SharedArea::Header& theirs = area_.slot(rank, number).header;
    check_agreement(rank, theirs.mark, mark());
    if (theirs.chunk_bytes == layout().chunk_bytes) return;
    throw TransportError(fmt::format("rank {} has chunk_bytes {} where this rank has {}", rank,
                                     theirs.chunk_bytes, layout().chunk_bytes));
  }

  SharedArea& area_;
  SharedArea::Counters& own_;
  std::span<std::byte> values_;
  Chunks rounds_;
  bool pieces_;
  std::vector<const std::byte*> inputs_;
  std::uint64_t first_ = kNotReserved;  // number of the first round
  std::size_t posted_ = 0;              // rounds of this sum
  std::size_t reduced_ = 0;
  std::size_t collected_ = 0;
};

}  // namespace

std::unique_ptr<Exchange> make_shared_all_reduce(const Layout& layout, const Buffer& values,
                                                 ReduceOp op) {
  return std::make_unique<SharedAllReduce>(layout, values, op);
}

}  // namespace convoy::comm::internal
