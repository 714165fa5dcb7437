// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/gather_family.h"

#include <numeric>
#include <utility>

#include "base/errors.h"
#include "base/random.h"
#include "compress/reduce/internal/codec_timer.h"
#include "compress/reduce/internal/payload_errors.h"
#include "compress/reduce/turns.h"

namespace convoy::compress {

GatherFamily::GatherFamily(comm::Communicator& communicator, std::shared_ptr<const Codec> codec,
                           const Executors& executors)
    : communicator_(communicator), codec_(std::move(codec)), executors_(executors) {
  require(codec_ != nullptr, "GatherFamily: no codec");
  placed_ = executors_.reducing->place(codec_);
  planning_ = executors_.planning->place(codec_);
}

Reduction GatherFamily::reduce(std::span<const Item> items, int priority) {
  Turns turns(communicator_, 2, comm::PlaceFor::kOther, priority);
  const auto work = works_.take();
  encode(items, *work);
  auto sizes = gather_sizes(*work, turns.next());
  co_await sizes;
  auto payloads = gather_payloads(items.front(), *work, turns.next());
  co_await payloads;
  add_up(items, *work);
}

void GatherFamily::encode(std::span<const Item> items, Work& work) {
  std::size_t most = 0;
  for (const Item& item : items) most += codec_->max_bytes(item.layer->numel, item.level);
  auto room = work.outgoing.resize(*executors_.reducing, most);
  work.own_sizes->clear();
  for (const Item& item : items) {
    const auto span = timed(Phase::kEncode, item);
    const auto key = mix({item.key, static_cast<std::uint64_t>(communicator_.rank())});
    const std::size_t bytes = placed_->encode(item.owed, item.level, key, room);
    placed_->add_decoded(room.first(bytes), -1.0F, item.owed);
    work.own_sizes->push_back(static_cast<std::int64_t>(bytes));
    room = room.subspan(bytes);
  }
  work.outgoing.resize(*executors_.reducing, most - room.size());
}

Reduction GatherFamily::gather_sizes(Work& work, comm::Turn turn) {
  work.sizes->resize(work.own_sizes->size() * static_cast<std::size_t>(communicator_.size()));
  const std::span<const std::int64_t> own = *work.own_sizes;
  auto gathered = communicator_.all_gather(comm::ConstBuffer(own, work.own_sizes),
                                           comm::Buffer(std::span(*work.sizes), work.sizes), turn);
  co_await gathered;
}

Reduction GatherFamily::gather_payloads(const Item& first, Work& work, comm::Turn turn) {
  const auto span = timed(Phase::kWire, first);
  const auto items = std::ssize(*work.own_sizes);
  Sizes counts;
  for (auto at = work.sizes->begin(); at != work.sizes->end(); at += items) {
    counts.push_back(std::reduce(at, at + items));
  }
  Executor& executor = *executors_.reducing;
  work.incoming.resize(executor,
                       static_cast<std::size_t>(std::reduce(counts.begin(), counts.end())));
  auto gathered =
      communicator_.all_gather_v(comm::ConstBuffer(buffer_of(executor, work.outgoing)),
                                 buffer_of(executor, work.incoming), std::move(counts), turn);
  co_await gathered;
}

void GatherFamily::add_up(std::span<const Item> items, const Work& work) {
  const float share = 1.0F / static_cast<float>(communicator_.size());
  for (const Item& item : items) executors_.reducing->fill_zero(item.mean);
  std::span<const std::byte> in = work.incoming.values();
  for (std::size_t i = 0; i < work.sizes->size(); ++i) {
    const Item& item = items[i % items.size()];
    const auto span = timed(Phase::kDecode, item);
    const auto sender = static_cast<int>(i / items.size());
    const auto payload = in.first(static_cast<std::size_t>((*work.sizes)[i]));
    internal::naming_sender(communicator_, sender, *item.layer,
                            [&] { placed_->add_decoded(payload, share, item.mean); });
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
  Array<float> room;
  auto costs = planning_->levels(placed(*executors_.planning, gradient, room), candidates);
  for (LevelCost& cost : costs) cost.bytes = wire_bytes(layer, cost.level, ranks);
  return costs;
}

double GatherFamily::codec_seconds(const Layer& layer, std::span<const float> gradient, Level level,
                                   int ranks) {
  (void)layer;
  // Its own payload is taken off what is owed, and added up with all others.
  return internal::codec_seconds(*executors_.planning, *planning_, *codec_, gradient, level, 1.0,
                                 1.0 + ranks);
}

}  // namespace convoy::compress
