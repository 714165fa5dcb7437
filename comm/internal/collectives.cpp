// SPDX-License-Identifier: Apache-2.0
#include "comm/internal/collectives.h"

#include <cstring>
#include <numeric>

namespace convoy::comm::internal {
namespace {

// Byte positions of consecutive pieces of `counts` elements, and the end.
std::vector<std::size_t> offsets(const std::vector<std::int64_t>& counts, DType dtype) {
  std::vector<std::size_t> result{0};
  for (const std::int64_t count : counts) {
    result.push_back(result.back() + static_cast<std::size_t>(count) * element_bytes(dtype));
  }
  return result;
}

template <typename Bytes>
Bytes piece_of(Bytes bytes, const std::vector<std::size_t>& at, int rank) {
  const auto r = static_cast<std::size_t>(rank);
  return bytes.subspan(at[r], at[r + 1] - at[r]);
}

void copy(std::span<const std::byte> from, std::span<std::byte> to) {
  if (!from.empty() && from.data() != to.data()) std::memmove(to.data(), from.data(), from.size());
}

class AllGather final : public Exchange {
 public:
  AllGather(const Layout& layout, const ConstBuffer& piece, const Buffer& values,
            const std::vector<std::int64_t>& counts)
      : Exchange({Kind::kAllGather, values.dtype, values.numel()}, layout) {
    const auto at = offsets(counts, values.dtype);
    copy(piece.bytes, piece_of(values.bytes, at, layout.rank));
    for (int step = 1; step < layout.size; ++step) {
      const int peer = (layout.rank + step) % layout.size;
      const auto theirs = piece_of(values.bytes, at, peer);
      if (!theirs.empty()) receive(peer, 0, theirs);
      if (!piece.bytes.empty()) send(peer, 0, piece.bytes);
    }
    allow_all();
  }
};

class AllToAll final : public Exchange {
 public:
  AllToAll(const Layout& layout, const ConstBuffer& from,
           const std::vector<std::int64_t>& to_counts, const Buffer& to,
           const std::vector<std::int64_t>& from_counts)
      : Exchange({Kind::kAllToAll, from.dtype, from.numel()}, layout) {
    const auto from_at = offsets(to_counts, from.dtype);
    const auto to_at = offsets(from_counts, to.dtype);
    copy(piece_of(from.bytes, from_at, layout.rank), piece_of(to.bytes, to_at, layout.rank));
    for (int step = 1; step < layout.size; ++step) {
      const int source = (layout.rank + layout.size - step) % layout.size;
      const int target = (layout.rank + step) % layout.size;
      const auto incoming = piece_of(to.bytes, to_at, source);
      const auto outgoing = piece_of(from.bytes, from_at, target);
      if (!incoming.empty()) receive(source, 0, incoming);
      if (!outgoing.empty()) send(target, 0, outgoing);
    }
    allow_all();
  }
};

// Ranks are counted from the root. Each receives from its parent and passes chunks on as they come.
class Broadcast final : public Exchange {
 public:
  Broadcast(const Layout& layout, const Buffer& values, int root)
      : Exchange({Kind::kBroadcast, values.dtype, values.numel()}, layout), root_(root) {
    if (values.bytes.empty()) return;
    const int place = (layout.rank - root + layout.size) % layout.size;
    const bool chain = values.bytes.size() > layout.chunk_bytes;
    if (place > 0) receive(rank_at(chain ? place - 1 : tree_parent(place)), 0, values.bytes);
    if (chain && place + 1 < layout.size) send(rank_at(place + 1), 0, values.bytes);
    if (!chain) send_to_tree_children(place, values);
    for (auto& in : ins()) in.allow(kAllChunks);
    if (place == 0) allow_all();
  }

 private:
  [[nodiscard]] int rank_at(int place) const { return (place + root_) % layout().size; }

  // Binomial: place p hears from p without its highest bit, and tells p + 2^k for all higher k.
  static int tree_parent(int place) {
    int bit = 1;
    while (bit * 2 <= place) bit *= 2;
    return place - bit;
  }

  void send_to_tree_children(int place, const Buffer& values) {
    int bit = 1;
    while (bit <= place) bit *= 2;
    for (; place + bit < layout().size; bit *= 2) send(rank_at(place + bit), 0, values.bytes);
  }

  bool step() override {
    if (ins().empty()) return false;
    const std::size_t arrived = ins().front().finished();
    if (arrived == passed_on_) return false;
    passed_on_ = arrived;
    for (auto& out : outs()) out.allow(arrived);
    return true;
  }

  int root_;
  std::size_t passed_on_ = 0;
};

// Round k: an empty message to rank + 2^k and one from rank - 2^k; the next round starts when the
// message has come.
class Barrier final : public Exchange {
 public:
  explicit Barrier(const Layout& layout) : Exchange({Kind::kBarrier, DType::kUInt8, 0}, layout) {
    for (int distance = 1; distance < layout.size; distance *= 2) {
      receive((layout.rank + layout.size - distance) % layout.size, 0, {}).allow(1);
      send((layout.rank + distance) % layout.size, 0, {});
    }
    if (!outs().empty()) outs().front().allow(1);
  }

 private:
  bool step() override {
    const std::size_t before = round_;
    while (round_ + 1 < outs().size() && ins()[round_].done()) outs()[++round_].allow(1);
    return round_ != before;
  }

  std::size_t round_ = 0;
};

class Send final : public Exchange {
 public:
  Send(const Layout& layout, const ConstBuffer& values, int peer, int tag)
      : Exchange({Kind::kSend, values.dtype, values.numel()}, layout) {
    send_to_user(peer, tag, values.bytes);
    allow_all();
  }
};

class Recv final : public Exchange {
 public:
  Recv(const Layout& layout, const Buffer& values, int peer, int tag)
      : Exchange({Kind::kRecv, values.dtype, values.numel()}, layout) {
    receive_from_user(peer, tag, values.bytes);
    allow_all();
  }
};

}  // namespace

std::unique_ptr<Exchange> make_all_gather_v(const Layout& layout, ConstBuffer piece, Buffer values,
                                            const std::vector<std::int64_t>& counts) {
  auto exchange = std::make_unique<AllGather>(layout, piece, values, counts);
  exchange->keep(std::move(piece.owner));
  exchange->keep(std::move(values.owner));
  return exchange;
}

std::unique_ptr<Exchange> make_all_to_all_v(const Layout& layout, ConstBuffer from,
                                            const std::vector<std::int64_t>& to_counts, Buffer to,
                                            const std::vector<std::int64_t>& from_counts) {
  auto exchange = std::make_unique<AllToAll>(layout, from, to_counts, to, from_counts);
  exchange->keep(std::move(from.owner));
  exchange->keep(std::move(to.owner));
  return exchange;
}

std::unique_ptr<Exchange> make_broadcast(const Layout& layout, Buffer values, int root) {
  auto exchange = std::make_unique<Broadcast>(layout, values, root);
  exchange->keep(std::move(values.owner));
  return exchange;
}

std::unique_ptr<Exchange> make_barrier(const Layout& layout) {
  return std::make_unique<Barrier>(layout);
}

std::unique_ptr<Exchange> make_send(const Layout& layout, ConstBuffer values, int peer, int tag) {
  auto exchange = std::make_unique<Send>(layout, values, peer, tag);
  exchange->keep(std::move(values.owner));
  return exchange;
}

std::unique_ptr<Exchange> make_recv(const Layout& layout, Buffer values, int peer, int tag) {
  auto exchange = std::make_unique<Recv>(layout, values, peer, tag);
  exchange->keep(std::move(values.owner));
  return exchange;
}

}  // namespace convoy::comm::internal
