// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/gather_family.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/errors.h"
#include "base/random.h"
#include "comm/values.h"
#include "compress/reduce/internal/codec_timer.h"
#include "compress/reduce/internal/payload_errors.h"

namespace convoy::compress {

GatherFamily::GatherFamily(comm::Communicator& communicator, std::shared_ptr<const Codec> codec)
    : communicator_(communicator), codec_(std::move(codec)) {
  require(codec_ != nullptr, "GatherFamily: no codec");
}

void GatherFamily::reduce(std::span<const Item> items) {
  const auto own_sizes = encode(items);
  const auto sizes = comm::all_gather_values(communicator_, own_sizes);
  const auto ranks = static_cast<std::size_t>(communicator_.size());
  std::vector<std::int64_t> counts;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    const auto of_rank = std::span(sizes).subspan(rank * items.size(), items.size());
    counts.push_back(std::reduce(of_rank.begin(), of_rank.end()));
  }
  incoming_->resize(static_cast<std::size_t>(std::reduce(counts.begin(), counts.end())));
  exchange(items.front(), counts);
  add_up(items, sizes);
}

void GatherFamily::exchange(const Item& first, const std::vector<std::int64_t>& counts) {
  const auto span = timed(Phase::kWire, first);
  communicator_
      .all_gather_v(comm::ConstBuffer(*outgoing_, comm::DType::kUInt8, outgoing_),
                    comm::Buffer(*incoming_, comm::DType::kUInt8, incoming_), counts)
      .wait();
}

std::vector<std::int64_t> GatherFamily::encode(std::span<const Item> items) {
  std::vector<std::int64_t> sizes;
  std::size_t used = 0;
  for (const Item& item : items) {
    const auto span = timed(Phase::kEncode, item);
    outgoing_->resize(used + codec_->max_bytes(item.layer->numel, item.level));
    const auto key = mix({item.key, static_cast<std::uint64_t>(communicator_.rank())});
    const auto room = std::span(*outgoing_).subspan(used);
    const std::size_t bytes =
        codec_->encode(std::span<const float>(item.owed), item.level, key, room);
    codec_->add_decoded(room.first(bytes), -1.0F, item.owed);
    sizes.push_back(static_cast<std::int64_t>(bytes));
    used += bytes;
  }
  outgoing_->resize(used);
  return sizes;
}

void GatherFamily::add_up(std::span<const Item> items, std::span<const std::int64_t> sizes) {
  const float share = 1.0F / static_cast<float>(communicator_.size());
  for (const Item& item : items) std::ranges::fill(item.mean, 0.0F);
  auto in = std::span<const std::byte>(*incoming_);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const Item& item = items[i % items.size()];
    const auto span = timed(Phase::kDecode, item);
    const auto sender = static_cast<int>(i / items.size());
    const auto payload = in.first(static_cast<std::size_t>(sizes[i]));
    internal::naming_sender(communicator_, sender, *item.layer,
                            [&] { codec_->add_decoded(payload, share, item.mean); });
    in = in.subspan(payload.size());
  }
}

double GatherFamily::payload_bytes(const Layer& layer, Level level) const {
  if (level.is_dense()) return static_cast<double>(layer.numel) * sizeof(float);
  return static_cast<double>(codec_->typical_bytes(layer.numel, level));
}

double GatherFamily::wire_bytes(const Layer& layer, Level level, int ranks) const {
  // Dense layers do not go through the gather.
  if (level.is_dense()) return two_hop_bytes(payload_bytes(layer, level), ranks);
  return payload_bytes(layer, level) * (ranks - 1);
}

std::vector<LevelCost> GatherFamily::table(const Layer& layer, std::span<const float> gradient,
                                           std::span<const Level> candidates, int ranks) {
  auto costs = codec_->levels(gradient, candidates);
  for (LevelCost& cost : costs) cost.bytes = wire_bytes(layer, cost.level, ranks);
  return costs;
}

double GatherFamily::codec_seconds(const Layer& layer, std::span<const float> gradient, Level level,
                                   int ranks) {
  (void)layer;
  // Its own payload is taken off what is owed, and added up with all others.
  return internal::codec_seconds(*codec_, gradient, level, 1.0, 1.0 + ranks);
}

}  // namespace convoy::compress
