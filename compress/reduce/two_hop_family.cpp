// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/two_hop_family.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "base/errors.h"
#include "base/hash.h"
#include "base/random.h"
#include "comm/values.h"
#include "compress/reduce/internal/codec_timer.h"
#include "compress/reduce/internal/payload_errors.h"

namespace convoy::compress {
namespace {

/// The two encodings of a layer draw different random numbers, and so do ranks.
std::uint64_t encode_key(const Item& item, int hop, int rank) {
  return mix({item.key, static_cast<std::uint64_t>(hop), static_cast<std::uint64_t>(rank)});
}

void scale(std::span<float> values, float factor) {
  for (float& value : values) value *= factor;
}

}  // namespace

TwoHopFamily::TwoHopFamily(comm::Communicator& communicator, std::shared_ptr<const Codec> codec,
                           Options options)
    : communicator_(communicator), codec_(std::move(codec)), options_(std::move(options)) {
  require(codec_ != nullptr, "TwoHopFamily: no codec");
  require(options_.granule > 0, "TwoHopFamily: granule must be positive");
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

std::int64_t TwoHopFamily::append(const Item& item, int owner, std::span<const float> values,
                                  std::uint64_t key) {
  const std::size_t most = most_bytes(item, owner);
  if (most == 0) return 0;
  const std::size_t used = outgoing_->size();
  outgoing_->resize(used + most);
  const std::size_t bytes =
      codec_->encode(values, item.level, key, std::span(*outgoing_).subspan(used));
  outgoing_->resize(used + bytes);
  return static_cast<std::int64_t>(bytes);
}

std::span<const std::byte> TwoHopFamily::last_payload(std::int64_t bytes) const {
  return std::span<const std::byte>(*outgoing_).last(static_cast<std::size_t>(bytes));
}

void TwoHopFamily::reduce(std::span<const Item> items) {
  if (options_.count_saturated) {
    for (const Item& item : items) {
      saturated_ += static_cast<std::uint64_t>(options_.count_saturated(item.owed));
    }
  }
  first_hop(items);
  add_up_own(items);
  second_hop(items);
  decode_means(items);
}

TwoHopFamily::Sizes TwoHopFamily::encode_for_owners(std::span<const Item> items) {
  const int own = communicator_.rank();
  Sizes sizes;
  outgoing_->clear();
  for (int peer = 0; peer < communicator_.size(); ++peer) {
    for (const Item& item : items) {
      if (peer == own) {
        sizes.push_back(0);
        continue;
      }
      const auto span = timed(Phase::kEncode, item);
      const auto values = chunk(item, peer).of(item.owed);
      sizes.push_back(append(item, peer, values, encode_key(item, 1, own)));
      if (sizes.back() > 0) codec_->add_decoded(last_payload(sizes.back()), -1.0F, values);
    }
  }
  return sizes;
}

TwoHopFamily::Sizes TwoHopFamily::sizes_from_peers(std::span<const Item> items,
                                                   const Sizes& to_peers) const {
  const auto count = static_cast<std::size_t>(communicator_.size()) * items.size();
  const auto from = std::make_shared<Sizes>(count);
  if (options_.sizes_vary) {
    const auto to = std::make_shared<Sizes>(to_peers);
    communicator_
        .all_to_all(comm::ConstBuffer(std::span<const std::int64_t>(*to), to),
                    comm::Buffer(std::span(*from), from))
        .wait();
    return std::move(*from);
  }
  const int own = communicator_.rank();
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_own = i / items.size() == static_cast<std::size_t>(own);
    const std::size_t bytes = is_own ? 0 : most_bytes(items[i % items.size()], own);
    (*from)[i] = static_cast<std::int64_t>(bytes);
  }
  return std::move(*from);
}

std::vector<std::int64_t> TwoHopFamily::rank_sums(const Sizes& sizes) const {
  const std::size_t items = sizes.size() / static_cast<std::size_t>(communicator_.size());
  std::vector<std::int64_t> sums;
  for (auto at = sizes.begin(); at != sizes.end(); at += static_cast<std::ptrdiff_t>(items)) {
    sums.push_back(std::reduce(at, at + static_cast<std::ptrdiff_t>(items)));
  }
  return sums;
}

void TwoHopFamily::first_hop(std::span<const Item> items) {
  const Sizes to_peers = encode_for_owners(items);
  incoming_sizes_ = sizes_from_peers(items, to_peers);
  incoming_->resize(
      static_cast<std::size_t>(std::reduce(incoming_sizes_.begin(), incoming_sizes_.end())));
  const auto span = timed(Phase::kWire, items.front());
  communicator_
      .all_to_all_v(comm::ConstBuffer(*outgoing_, comm::DType::kUInt8, outgoing_),
                    rank_sums(to_peers), comm::Buffer(*incoming_, comm::DType::kUInt8, incoming_),
                    rank_sums(incoming_sizes_))
      .wait();
}

void TwoHopFamily::add_up_own(std::span<const Item> items) {
  const int own = communicator_.rank();
  for (const Item& item : items) {
    std::ranges::fill(chunk(item, own).of(item.mean), 0.0F);
  }
  auto in = std::span<const std::byte>(*incoming_);
  for (std::size_t i = 0; i < incoming_sizes_.size(); ++i) {
    const Item& item = items[i % items.size()];
    const auto span = timed(Phase::kDecode, item);
    const auto sender = static_cast<int>(i / items.size());
    const auto sum = chunk(item, own).of(item.mean);
    if (sender == own) {
      const auto values = chunk(item, own).of(item.owed);
      std::transform(sum.begin(), sum.end(), values.begin(), sum.begin(), std::plus<>());
      continue;
    }
    const auto payload = in.first(static_cast<std::size_t>(incoming_sizes_[i]));
    in = in.subspan(payload.size());
    if (sum.empty()) continue;
    internal::naming_sender(communicator_, sender, *item.layer,
                            [&] { codec_->add_decoded(payload, 1.0F, sum); });
  }
}

TwoHopFamily::Sizes TwoHopFamily::encode_means(std::span<const Item> items) {
  const int own = communicator_.rank();
  const auto ranks = static_cast<float>(communicator_.size());
  Sizes sizes;
  outgoing_->clear();
  for (const Item& item : items) {
    const auto span = timed(Phase::kEncode, item);
    const auto mean = chunk(item, own).of(item.mean);
    const auto owed = chunk(item, own).of(item.owed);
    std::ranges::copy(mean, owed.begin());  // the sum: N times the mean
    scale(mean, 1.0F / ranks);
    sizes.push_back(append(item, own, mean, encode_key(item, 2, own)));
    if (sizes.back() > 0) codec_->add_decoded(last_payload(sizes.back()), -ranks, owed);
  }
  return sizes;
}

TwoHopFamily::Sizes TwoHopFamily::sizes_of_means(std::span<const Item> items,
                                                 const Sizes& own) const {
  if (options_.sizes_vary) return comm::all_gather_values(communicator_, own);
  Sizes sizes;
  for (int owner = 0; owner < communicator_.size(); ++owner) {
    for (const Item& item : items) {
      sizes.push_back(static_cast<std::int64_t>(most_bytes(item, owner)));
    }
  }
  return sizes;
}

void TwoHopFamily::second_hop(std::span<const Item> items) {
  incoming_sizes_ = sizes_of_means(items, encode_means(items));
  incoming_->resize(
      static_cast<std::size_t>(std::reduce(incoming_sizes_.begin(), incoming_sizes_.end())));
  const auto span = timed(Phase::kWire, items.front());
  communicator_
      .all_gather_v(comm::ConstBuffer(*outgoing_, comm::DType::kUInt8, outgoing_),
                    comm::Buffer(*incoming_, comm::DType::kUInt8, incoming_),
                    rank_sums(incoming_sizes_))
      .wait();
}

void TwoHopFamily::decode_means(std::span<const Item> items) {
  auto in = std::span<const std::byte>(*incoming_);
  for (std::size_t i = 0; i < incoming_sizes_.size(); ++i) {
    const Item& item = items[i % items.size()];
    const auto span = timed(Phase::kDecode, item);
    const auto owner = static_cast<int>(i / items.size());
    const auto payload = in.first(static_cast<std::size_t>(incoming_sizes_[i]));
    in = in.subspan(payload.size());
    const auto mean = chunk(item, owner).of(item.mean);
    if (mean.empty()) continue;
    internal::naming_sender(communicator_, owner, *item.layer,
                            [&] { codec_->decode(payload, mean); });
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
  auto costs = codec_->levels(gradient, candidates);
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
  return internal::codec_seconds(*codec_, gradient, level, encodings, decodings);
}

}  // namespace convoy::compress
