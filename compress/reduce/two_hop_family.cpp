// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/two_hop_family.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "base/errors.h"
#include "base/hash.h"
#include "base/random.h"
#include "compress/reduce/internal/codec_timer.h"
#include "compress/reduce/internal/payload_errors.h"

namespace convoy::compress {
namespace {

/// The two encodings of a layer draw different random numbers, and so do ranks.
std::uint64_t encode_key(const Item& item, int hop, int rank) {
  return mix({item.key, static_cast<std::uint64_t>(hop), static_cast<std::uint64_t>(rank)});
}

}  // namespace

TwoHopFamily::TwoHopFamily(comm::Communicator& communicator, std::shared_ptr<const Codec> codec,
                           const Executors& executors, const Options& options)
    : communicator_(communicator),
      codec_(std::move(codec)),
      executors_(executors),
      options_(options) {
  require(codec_ != nullptr, "TwoHopFamily: no codec");
  require(options_.granule > 0, "TwoHopFamily: granule must be positive");
  placed_ = executors_.reducing->place(codec_);
  planning_ = executors_.planning->place(codec_);
}

std::span<float> TwoHopFamily::Chunk::of(std::span<float> values) const {
  return values.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(numel()));
}

TwoHopFamily::Chunk TwoHopFamily::chunk(const Item& item, int owner) const {
  const std::int64_t ranks = communicator_.size();
  const std::int64_t numel = item.layer->numel;
  const std::int64_t granules = (numel + options_.granule - 1) / options_.granule;
  // Layers begin with different owners, so that small ones are spread.
  const auto shift = static_cast<std::int64_t>(hash64(std::as_bytes(std::span(item.layer->name))) %
                                               static_cast<std::uint64_t>(ranks));
  const std::int64_t place = (owner + shift) % ranks;
  const auto bound = [&](std::int64_t i) {
    return std::min(granules * i / ranks * options_.granule, numel);
  };
  return {bound(place), bound(place + 1)};
}

std::size_t TwoHopFamily::most_bytes(const Item& item, int owner) const {
  const auto numel = chunk(item, owner).numel();
  return numel == 0 ? 0 : codec_->max_bytes(numel, item.level);
}

std::size_t TwoHopFamily::most_bytes(std::span<const Item> items, int owner) const {
  std::size_t most = 0;
  for (const Item& item : items) most += most_bytes(item, owner);
  return most;
}

std::span<const std::byte> TwoHopFamily::append(const Item& item, int owner,
                                                std::span<const float> values, std::uint64_t key,
                                                std::span<std::byte>& room) {
  if (most_bytes(item, owner) == 0) return {};
  const auto payload = room.first(placed_->encode(values, item.level, key, room));
  room = room.subspan(payload.size());
  return payload;
}

Reduction TwoHopFamily::reduce(std::span<const Item> items, int priority) {
  const int collectives = options_.sizes_vary ? 4 : 2;
  Turns turns(communicator_, collectives, comm::PlaceFor::kOther, priority);
  const auto work = works_.take();
  if (options_.count_saturated) {
    for (const Item& item : items) {
      saturated_ += static_cast<std::uint64_t>(
          executors_.reducing->count_saturated(item.owed, *options_.count_saturated));
    }
  }
  encode_for_owners(items, *work);
  size_incoming_chunks(items, *work);
  auto first_hop = exchange_chunks(items.front(), *work, turns);
  co_await first_hop;
  add_up_own(items, *work);
  encode_means(items, *work);
  size_incoming_means(items, *work);
  auto second_hop = gather_means(items.front(), *work, turns);
  co_await second_hop;
  decode_means(items, *work);
}

void TwoHopFamily::encode_for_owners(std::span<const Item> items, Work& work) {
  const int own = communicator_.rank();
  std::size_t most = 0;
  for (int peer = 0; peer < communicator_.size(); ++peer) {
    if (peer != own) most += most_bytes(items, peer);
  }
  auto room = work.outgoing.resize(*executors_.reducing, most);
  Sizes& sizes = *work.outgoing_sizes;
  sizes.clear();
  for (int peer = 0; peer < communicator_.size(); ++peer) {
    for (const Item& item : items) {
      if (peer == own) {
        sizes.push_back(0);
        continue;
      }
      const auto span = timed(Phase::kEncode, item);
      const auto values = chunk(item, peer).of(item.owed);
      const auto payload = append(item, peer, values, encode_key(item, 1, own), room);
      sizes.push_back(std::ssize(payload));
      if (!payload.empty()) placed_->add_decoded(payload, -1.0F, values);
    }
  }
  work.outgoing.resize(*executors_.reducing, most - room.size());
}

// Where sizes vary, only the room for them.
void TwoHopFamily::size_incoming_chunks(std::span<const Item> items, Work& work) const {
  const int own = communicator_.rank();
  Sizes& sizes = *work.incoming_sizes;
  sizes.clear();
  for (int sender = 0; sender < communicator_.size(); ++sender) {
    for (const Item& item : items) {
      sizes.push_back(sender == own ? 0 : static_cast<std::int64_t>(most_bytes(item, own)));
    }
  }
}

TwoHopFamily::Sizes TwoHopFamily::rank_sums(const Sizes& sizes) const {
  const std::ptrdiff_t items = std::ssize(sizes) / communicator_.size();
  Sizes sums;
  for (auto at = sizes.begin(); at != sizes.end(); at += items) {
    sums.push_back(std::reduce(at, at + items));
  }
  return sums;
}

Reduction TwoHopFamily::exchange_chunks(const Item& first, Work& work, Turns& turns) {
  if (options_.sizes_vary) {
    const std::span<const std::int64_t> to = *work.outgoing_sizes;
    auto sizes = communicator_.all_to_all(
        comm::ConstBuffer(to, work.outgoing_sizes),
        comm::Buffer(std::span(*work.incoming_sizes), work.incoming_sizes), turns.next());
    co_await sizes;
  }
  const auto span = timed(Phase::kWire, first);
  const Sizes from = rank_sums(*work.incoming_sizes);
  Executor& executor = *executors_.reducing;
  work.incoming.resize(executor, static_cast<std::size_t>(std::reduce(from.begin(), from.end())));
  auto chunks = communicator_.all_to_all_v(comm::ConstBuffer(buffer_of(executor, work.outgoing)),
                                           rank_sums(*work.outgoing_sizes),
                                           buffer_of(executor, work.incoming), from, turns.next());
  co_await chunks;
}

void TwoHopFamily::add_up_own(std::span<const Item> items, const Work& work) {
  const int own = communicator_.rank();
  for (const Item& item : items) executors_.reducing->fill_zero(chunk(item, own).of(item.mean));
  std::span<const std::byte> in = work.incoming.values();
  for (std::size_t i = 0; i < work.incoming_sizes->size(); ++i) {
    const Item& item = items[i % items.size()];
    const auto span = timed(Phase::kDecode, item);
    const auto sender = static_cast<int>(i / items.size());
    const auto sum = chunk(item, own).of(item.mean);
    if (sender == own) {
      executors_.reducing->add(chunk(item, own).of(item.owed), sum);
      continue;
    }
    const auto payload = in.first(static_cast<std::size_t>((*work.incoming_sizes)[i]));
    in = in.subspan(payload.size());
    if (sum.empty()) continue;
    internal::naming_sender(communicator_, sender, *item.layer,
                            [&] { placed_->add_decoded(payload, 1.0F, sum); });
  }
}

void TwoHopFamily::encode_means(std::span<const Item> items, Work& work) {
  const int own = communicator_.rank();
  const auto ranks = static_cast<float>(communicator_.size());
  Executor& executor = *executors_.reducing;
  const std::size_t most = most_bytes(items, own);
  auto room = work.outgoing.resize(executor, most);
  Sizes& sizes = *work.outgoing_sizes;
  sizes.clear();
  for (const Item& item : items) {
    const auto span = timed(Phase::kEncode, item);
    const auto mean = chunk(item, own).of(item.mean);
    const auto owed = chunk(item, own).of(item.owed);
    executor.copy(mean, owed);  // the sum: N times the mean
    executor.scale(mean, 1.0F / ranks);
    const auto payload = append(item, own, mean, encode_key(item, 2, own), room);
    sizes.push_back(std::ssize(payload));
    if (!payload.empty()) placed_->add_decoded(payload, -ranks, owed);
  }
  work.outgoing.resize(executor, most - room.size());
}

void TwoHopFamily::size_incoming_means(std::span<const Item> items, Work& work) const {
  Sizes& sizes = *work.incoming_sizes;
  sizes.clear();
  for (int owner = 0; owner < communicator_.size(); ++owner) {
    for (const Item& item : items) {
      sizes.push_back(static_cast<std::int64_t>(most_bytes(item, owner)));
    }
  }
}

Reduction TwoHopFamily::gather_means(const Item& first, Work& work, Turns& turns) {
  if (options_.sizes_vary) {
    const std::span<const std::int64_t> own = *work.outgoing_sizes;
    auto sizes = communicator_.all_gather(
        comm::ConstBuffer(own, work.outgoing_sizes),
        comm::Buffer(std::span(*work.incoming_sizes), work.incoming_sizes), turns.next());
    co_await sizes;
  }
  const auto span = timed(Phase::kWire, first);
  Sizes counts = rank_sums(*work.incoming_sizes);
  Executor& executor = *executors_.reducing;
  work.incoming.resize(executor,
                       static_cast<std::size_t>(std::reduce(counts.begin(), counts.end())));
  auto means = communicator_.all_gather_v(comm::ConstBuffer(buffer_of(executor, work.outgoing)),
                                          buffer_of(executor, work.incoming), std::move(counts),
                                          turns.next());
  co_await means;
}

void TwoHopFamily::decode_means(std::span<const Item> items, const Work& work) {
  std::span<const std::byte> in = work.incoming.values();
  for (std::size_t i = 0; i < work.incoming_sizes->size(); ++i) {
    const Item& item = items[i % items.size()];
    const auto span = timed(Phase::kDecode, item);
    const auto owner = static_cast<int>(i / items.size());
    const auto payload = in.first(static_cast<std::size_t>((*work.incoming_sizes)[i]));
    in = in.subspan(payload.size());
    const auto mean = chunk(item, owner).of(item.mean);
    if (mean.empty()) continue;
    internal::naming_sender(communicator_, owner, *item.layer,
                            [&] { placed_->decode(payload, mean); });
  }
}

double TwoHopFamily::payload_bytes(const Layer& layer, Level level) const {
  if (level.is_dense()) return static_cast<double>(layer.numel) * sizeof(float);
  return static_cast<double>(codec_->typical_bytes(layer.numel, level));
}

double TwoHopFamily::wire_bytes(const Layer& layer, Level level, int ranks) const {
  return two_hop_bytes(payload_bytes(layer, level), ranks);
}

std::vector<LevelCost> TwoHopFamily::table(const Layer& layer, std::span<const float> gradient,
                                           std::span<const Level> candidates, int ranks) {
  Array<float> room;
  auto costs = planning_->levels(placed(*executors_.planning, gradient, room), candidates);
  for (LevelCost& cost : costs) cost.bytes = wire_bytes(layer, cost.level, ranks);
  return costs;
}

double TwoHopFamily::codec_seconds(const Layer& layer, std::span<const float> gradient, Level level,
                                   int ranks) {
  (void)layer;
  // In parts of the layer: all but the own chunk are encoded, and taken off what is owed; the own
  // one is added up from all peers, its mean encoded and taken off; all others are decoded.
  const double own = 1.0 / ranks;
  const double encodings = (1.0 - own) + own;
  const double decodings = (1.0 - own) + own * (ranks - 1) + own + (1.0 - own);
  return internal::codec_seconds(*executors_.planning, *planning_, *codec_, gradient, level,
                                 encodings, decodings);
}

}  // namespace convoy::compress
