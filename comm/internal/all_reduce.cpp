// SPDX-License-Identifier: Apache-2.0
// Sums in rank order by direct exchange. Words: a buffer has one *segment* per rank, its *owner*;
// a *piece* is one rank's contribution to a segment; segments travel in *chunks*.
#include <algorithm>
#include <memory>
#include <vector>

#include "comm/internal/collectives.h"
#include "comm/internal/combine.h"

namespace convoy::comm::internal {
namespace {

constexpr int kScatterPhase = 0;
constexpr int kGatherPhase = 1;

// The last chunk of a segment leaves when all others have gone, to every peer: for so long nothing
// hides what that takes. This many chunks make it a small part of the whole.
constexpr std::size_t kChunksOfSegment = 64;

Layout with_fitting_chunks(Layout layout, std::size_t bytes) {
  const std::size_t fitting =
      bytes / (static_cast<std::size_t>(layout.size) * kChunksOfSegment) / kAlignment * kAlignment;
  const std::size_t least = std::min(layout.least_chunk_bytes, layout.chunk_bytes);
  layout.chunk_bytes = std::clamp(fitting, least, layout.chunk_bytes);
  return layout;
}

// Everybody's whole buffer arrives here and is added at once.
class OneRoundAllReduce final : public Exchange {
 public:
  OneRoundAllReduce(const Layout& layout, const Buffer& values, ReduceOp op)
      : Exchange({Kind::kAllReduce, values.dtype, values.numel(), op}, layout),
        values_(values.bytes),
        all_(scratch(values.bytes.size() * static_cast<std::size_t>(layout.size))) {
    const std::size_t bytes = values_.size();
    for (int rank = 0; rank < layout.size; ++rank) {
      std::byte* place = all_.data() + bytes * static_cast<std::size_t>(rank);
      inputs_.push_back(rank == layout.rank ? values_.data() : place);
      if (rank != layout.rank) receive(rank, kScatterPhase, {place, bytes});
    }
    for (int step = 1; step < layout.size; ++step) {
      send((layout.rank + step) % layout.size, kScatterPhase, values_);
    }
    allow_all();
  }

 private:
  bool step() override {
    if (!combined_ && streams_done()) {
      combine(call().dtype, call().op, inputs_, values_);
      combined_ = true;
    }
    return false;
  }

  std::span<std::byte> values_;
  Scratch all_;
  std::vector<const std::byte*> inputs_;
  bool combined_ = false;
};

// The owner's half: receives everybody's piece of the own segment and combines them chunk by chunk.
// Its streams come first in ins() and outs(), one per peer in rank order.
class SegmentExchange : public Exchange {
 protected:
  using Exchange::Exchange;

  // `pieces`: this rank's contributions, one per owner. `result` may be the own piece.
  void start_scatter(const std::vector<std::span<const std::byte>>& pieces,
                     std::span<std::byte> result) {
    own_piece_ = pieces[static_cast<std::size_t>(layout().rank)];
    result_ = result;
    const std::size_t chunk = layout().chunk_bytes;
    ahead_ = chunks_ahead(chunk);
    ring_bytes_ = std::min(result.size(), ahead_ * chunk);
    if (!result.empty()) {
      ring_ = scratch(ring_bytes_ * static_cast<std::size_t>(layout().size));
      segment_chunks_ = Chunks{result.size(), chunk}.count();
    }
    for (int rank = 0; rank < layout().size; ++rank) {
      if (rank == layout().rank || result.empty()) continue;
      std::byte* place = ring_.data() + ring_bytes_ * static_cast<std::size_t>(rank);
      receive(rank, kScatterPhase, {place, ring_bytes_}, result.size()).allow(ahead_);
    }
    scatter_ins_ = ins().size();
    for (int rank = 0; rank < layout().size; ++rank) {
      const auto piece = pieces[static_cast<std::size_t>(rank)];
      if (rank == layout().rank || piece.empty()) continue;
      send(rank, kScatterPhase, piece).allow(kAllChunks);
    }
  }

  // Combines the chunks that have come from everybody. @return true if there was one.
  bool combine_arrived() {
    const std::size_t before = combined_;
    while (combined_ < segment_chunks_ && arrived_everywhere(combined_)) combine_chunk(combined_++);
    for (std::size_t i = 0; i < scatter_ins_; ++i) ins()[i].allow(combined_ + ahead_);
    return combined_ != before;
  }

  [[nodiscard]] std::size_t combined_chunks() const { return combined_; }

 private:
  bool step() override { return combine_arrived(); }

  bool arrived_everywhere(std::size_t chunk) {
    return std::all_of(ins().begin(), ins().begin() + static_cast<std::ptrdiff_t>(scatter_ins_),
                       [&](const InStream& stream) { return stream.finished() > chunk; });
  }

  void combine_chunk(std::size_t index) {
    const Chunks chunks{result_.size(), layout().chunk_bytes};
    const auto inside = [&](auto bytes) {
      return bytes.subspan(chunks.offset(index), chunks.bytes(index));
    };
    inputs_.clear();
    std::size_t stream = 0;
    for (int rank = 0; rank < layout().size; ++rank) {
      inputs_.push_back(rank == layout().rank ? inside(own_piece_).data()
                                              : ins()[stream++].chunk(index).data());
    }
    combine(call().dtype, call().op, inputs_, inside(result_));
  }

  std::span<const std::byte> own_piece_;
  std::span<std::byte> result_;
  std::size_t ahead_ = 0;  // chunks
  Scratch ring_;           // so many for each peer
  std::size_t ring_bytes_ = 0;
  std::size_t segment_chunks_ = 0;
  std::size_t scatter_ins_ = 0;
  std::size_t combined_ = 0;
  std::vector<const std::byte*> inputs_;
};

class ReduceScatter final : public SegmentExchange {
 public:
  ReduceScatter(const Layout& layout, const ConstBuffer& values, const Buffer& piece, ReduceOp op)
      : SegmentExchange({Kind::kReduceScatter, values.dtype, values.numel(), op}, layout) {
    std::vector<std::span<const std::byte>> pieces;
    const std::size_t bytes = piece.bytes.size();
    for (std::size_t r = 0; r < static_cast<std::size_t>(layout.size); ++r) {
      pieces.push_back(values.bytes.subspan(r * bytes, bytes));
    }
    start_scatter(pieces, piece.bytes);
  }
};

class AllReduce final : public SegmentExchange {
 public:
  AllReduce(const Layout& layout, const Buffer& values, ReduceOp op)
      : SegmentExchange({Kind::kAllReduce, values.dtype, values.numel(), op}, layout) {
    std::vector<std::span<const std::byte>> pieces;
    for (int r = 0; r < layout.size; ++r) pieces.push_back(segment(values, r));
    const auto own = segment(values, layout.rank);
    start_scatter(pieces, own);
    scatter_outs_ = outs().size();
    first_gather_in_ = ins().size();
    for (int r = 0; r < layout.size; ++r) {
      const auto theirs = segment(values, r);
      if (r == layout.rank) continue;
      if (!theirs.empty()) receive(r, kGatherPhase, theirs);
      if (!own.empty()) send(r, kGatherPhase, own);
    }
  }

 private:
  // Depends on numel and the number of ranks only.
  [[nodiscard]] std::span<std::byte> segment(const Buffer& values, int rank) const {
    const auto size = static_cast<std::size_t>(layout().size);
    const auto r = static_cast<std::size_t>(rank);
    const std::size_t element = element_bytes(values.dtype);
    const std::size_t numel = values.bytes.size() / element;
    const auto begin = [&](std::size_t k) { return numel / size * k + std::min(k, numel % size); };
    return values.bytes.subspan(begin(r) * element, (begin(r + 1) - begin(r)) * element);
  }

  bool step() override {
    const bool moved = combine_arrived();
    for (std::size_t i = scatter_outs_; i < outs().size(); ++i) outs()[i].allow(combined_chunks());
    // The result of a foreign segment lands on this rank's piece of it: only once that has gone
    // out. Both lists skip empty segments, so that entry i is the same peer in both.
    bool opened = false;
    for (std::size_t i = 0; i < scatter_outs_; ++i) {
      opened |= ins()[first_gather_in_ + i].allow(outs()[i].finished());
    }
    return moved || opened;
  }

  std::size_t scatter_outs_ = 0;
  std::size_t first_gather_in_ = 0;
};

}  // namespace

std::unique_ptr<Exchange> make_all_reduce(const Layout& layout, Buffer values, ReduceOp op) {
  std::unique_ptr<Exchange> exchange;
  if (layout.size == 1 || values.bytes.empty()) {
    exchange = std::make_unique<AllReduce>(layout, values, op);
  } else if (layout.shared != nullptr) {
    exchange = make_shared_all_reduce(layout, values, op);
  } else if (values.bytes.size() <= std::min(kOneRoundBytes, layout.chunk_bytes)) {
    exchange = layout.size < kDoublingRanks
                   ? std::make_unique<OneRoundAllReduce>(layout, values, op)
                   : make_doubling_all_reduce(layout, values, op);
  } else {
    exchange =
        std::make_unique<AllReduce>(with_fitting_chunks(layout, values.bytes.size()), values, op);
  }
  exchange->keep(std::move(values.owner));
  return exchange;
}

std::unique_ptr<Exchange> make_reduce_scatter(const Layout& layout, ConstBuffer values,
                                              Buffer piece, ReduceOp op) {
  auto exchange = std::make_unique<ReduceScatter>(layout, values, piece, op);
  exchange->keep(std::move(values.owner));
  exchange->keep(std::move(piece.owner));
  return exchange;
}

}  // namespace convoy::comm::internal
