// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/two_hop_family.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "base/errors.h"
#include "base/hash.h"
#include "base/random.h"
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

TwoHopFamily::TwoHopFamily(comm::Communicator& communicator, std::unique_ptr<const Codec> codec,
                           std::int64_t granule, CountSaturated count_saturated)
    : communicator_(communicator),
      codec_(std::move(codec)),
      granule_(granule),
      count_saturated_(std::move(count_saturated)) {
  require(granule > 0, "TwoHopFamily: granule must be positive");
}

std::span<float> TwoHopFamily::Chunk::of(std::span<float> values) const {
  return values.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(numel()));
}

TwoHopFamily::Chunk TwoHopFamily::chunk(const Item& item, int owner) const {
  const std::int64_t ranks = communicator_.size();
  const std::int64_t numel = item.layer->numel;
  const std::int64_t granules = (numel + granule_ - 1) / granule_;
  // Layers begin with different owners, so that small ones are spread.
  const auto shift = static_cast<std::int64_t>(hash64(std::as_bytes(std::span(item.layer->name))) %
                                               static_cast<std::uint64_t>(ranks));
  const std::int64_t place = (owner + shift) % ranks;
  const auto bound = [&](std::int64_t i) {
    return std::min(granules * i / ranks * granule_, numel);
  };
  return {bound(place), bound(place + 1)};
}

std::size_t TwoHopFamily::chunk_bytes(const Item& item, int owner) const {
  const auto numel = chunk(item, owner).numel();
  return numel == 0 ? 0 : codec_->max_bytes(numel, item.level);
}

std::int64_t TwoHopFamily::owner_bytes(std::span<const Item> items, int owner) const {
  std::size_t bytes = 0;
  for (const Item& item : items) bytes += chunk_bytes(item, owner);
  return static_cast<std::int64_t>(bytes);
}

void TwoHopFamily::reduce(std::span<const Item> items) {
  if (count_saturated_) {
    for (const Item& item : items) {
      saturated_ += static_cast<std::uint64_t>(count_saturated_(item.owed));
    }
  }
  first_hop(items);
  add_up_own(items);
  second_hop(items);
  decode_means(items);
}

void TwoHopFamily::first_hop(std::span<const Item> items) {
  const int ranks = communicator_.size();
  const int own = communicator_.rank();
  std::vector<std::int64_t> to_counts(static_cast<std::size_t>(ranks));
  std::vector<std::int64_t> from_counts(static_cast<std::size_t>(ranks), owner_bytes(items, own));
  for (int peer = 0; peer < ranks; ++peer) {
    to_counts[static_cast<std::size_t>(peer)] = owner_bytes(items, peer);
  }
  to_counts[static_cast<std::size_t>(own)] = from_counts[static_cast<std::size_t>(own)] = 0;
  outgoing_->resize(static_cast<std::size_t>(std::reduce(to_counts.begin(), to_counts.end())));
  incoming_->resize(static_cast<std::size_t>(std::reduce(from_counts.begin(), from_counts.end())));

  auto out = std::span(*outgoing_);
  for (int peer = 0; peer < ranks; ++peer) {
    if (peer == own) continue;
    for (const Item& item : items) {
      const std::size_t bytes = chunk_bytes(item, peer);
      if (bytes == 0) continue;
      const auto payload = out.first(bytes);
      const auto values = chunk(item, peer).of(item.owed);
      (void)codec_->encode(std::span<const float>(values), item.level, encode_key(item, 1, own),
                           payload);
      codec_->add_decoded(payload, -1.0F, values);
      out = out.subspan(bytes);
    }
  }
  communicator_
      .all_to_all_v(comm::ConstBuffer(*outgoing_, comm::DType::kUInt8, outgoing_), to_counts,
                    comm::Buffer(*incoming_, comm::DType::kUInt8, incoming_), from_counts)
      .wait();
}

void TwoHopFamily::add_up_own(std::span<const Item> items) {
  const int own = communicator_.rank();
  for (const Item& item : items) {
    std::ranges::fill(chunk(item, own).of(item.mean), 0.0F);
  }
  auto in = std::span<const std::byte>(*incoming_);
  for (int peer = 0; peer < communicator_.size(); ++peer) {
    for (const Item& item : items) {
      const Chunk part = chunk(item, own);
      const auto sum = part.of(item.mean);
      if (peer == own) {
        const auto values = part.of(item.owed);
        std::transform(sum.begin(), sum.end(), values.begin(), sum.begin(), std::plus<>());
        continue;
      }
      const std::size_t bytes = chunk_bytes(item, own);
      if (bytes == 0) continue;
      internal::naming_sender(communicator_, peer, *item.layer,
                              [&] { codec_->add_decoded(in.first(bytes), 1.0F, sum); });
      in = in.subspan(bytes);
    }
  }
}

void TwoHopFamily::second_hop(std::span<const Item> items) {
  const int own = communicator_.rank();
  const auto ranks = static_cast<float>(communicator_.size());
  std::vector<std::int64_t> counts;
  for (int owner = 0; owner < communicator_.size(); ++owner) {
    counts.push_back(owner_bytes(items, owner));
  }
  outgoing_->resize(static_cast<std::size_t>(counts[static_cast<std::size_t>(own)]));
  incoming_->resize(static_cast<std::size_t>(std::reduce(counts.begin(), counts.end())));
  auto out = std::span(*outgoing_);
  for (const Item& item : items) {
    const std::size_t bytes = chunk_bytes(item, own);
    if (bytes == 0) continue;
    const auto payload = out.first(bytes);
    const auto mean = chunk(item, own).of(item.mean);
    const auto owed = chunk(item, own).of(item.owed);
    std::ranges::copy(mean, owed.begin());  // the sum: N times the mean
    scale(mean, 1.0F / ranks);
    (void)codec_->encode(std::span<const float>(mean), item.level, encode_key(item, 2, own),
                         payload);
    codec_->add_decoded(payload, -ranks, owed);
    out = out.subspan(bytes);
  }
  communicator_
      .all_gather_v(comm::ConstBuffer(*outgoing_, comm::DType::kUInt8, outgoing_),
                    comm::Buffer(*incoming_, comm::DType::kUInt8, incoming_), counts)
      .wait();
}

void TwoHopFamily::decode_means(std::span<const Item> items) {
  auto in = std::span<const std::byte>(*incoming_);
  for (int owner = 0; owner < communicator_.size(); ++owner) {
    for (const Item& item : items) {
      const std::size_t bytes = chunk_bytes(item, owner);
      if (bytes == 0) continue;
      const auto mean = chunk(item, owner).of(item.mean);
      internal::naming_sender(communicator_, owner, *item.layer,
                              [&] { codec_->decode(in.first(bytes), mean); });
      in = in.subspan(bytes);
    }
  }
}

double TwoHopFamily::payload_bytes(const Layer& layer, Level level) const {
  if (level.is_dense()) return static_cast<double>(layer.numel) * sizeof(float);
  return static_cast<double>(codec_->max_bytes(layer.numel, level));
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

}  // namespace convoy::compress
