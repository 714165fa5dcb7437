// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/node_reducer.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "comm/values.h"
#include "compress/reduce/family.h"

namespace convoy::compress {

NodeReducer::NodeReducer(comm::Communicator& communicator, comm::Communicator& host,
                         Options options)
    : host_(host), options_(std::move(options)), ranks_(communicator.size()) {
  const bool leads = host_.rank() == 0;
  between_ = communicator.split(leads ? 0 : 1 + communicator.rank(), communicator.rank());
  hosts_ = comm::all_reduce_value<std::int32_t>(communicator, leads ? 1 : 0);
  on_leaders([&] { leader_ = options_.between(*between_); });
}

void NodeReducer::on_leaders(const std::function<void()>& of_leader) {
  std::string refusal;
  try {
    if (host_.rank() == 0) of_leader();
  } catch (const ConfigError& error) {
    refusal = error.what();
  }
  refusal = comm::broadcast_text(host_, refusal, 0);
  require_config(refusal.empty(), refusal);
}

void NodeReducer::begin_step(std::int64_t step) {
  entries_.clear();
  begun_ = 0;
  if (timeline_ != nullptr) timeline_->begin_communication(step);
  if (leader_ != nullptr) leader_->begin_step(step);
}

Reduction NodeReducer::start(const Bucket& bucket, int priority) {
  dense_bytes_ += static_cast<std::uint64_t>(
      two_hop_bytes(static_cast<double>(bucket.values.size_bytes()), ranks_));
  const std::size_t index = entries_.size();
  Entry& entry = entries_.emplace_back(Entry{&bucket, priority, {}, std::nullopt});
  const comm::Buffer values(bucket.values, bucket.owner);
  const std::uint64_t last = host_.reserve(1, comm::PlaceFor::kOther);
  {
    const TimedSpan span(timeline_, Phase::kWire, bucket.layers.front().name);
    entry.sum = host_.all_reduce(values, comm::ReduceOp::kSum, {.priority = priority});
    co_await entry.sum;
  }
  if (leader_ != nullptr) {
    auto begun = begin_between(index);
    co_await begun;
    co_await *entry.between;
  }
  const TimedSpan span(timeline_, Phase::kWire, bucket.layers.front().name);
  auto result = host_.broadcast(values, 0, {.priority = priority, .place = last});
  co_await result;
}

// Leaders begin all buckets in one order, in whatever order the sums of their hosts are done.
Reduction NodeReducer::begin_between(std::size_t up_to) {
  const float share = static_cast<float>(hosts_) / static_cast<float>(ranks_);
  while (begun_ <= up_to) {
    Entry& next = entries_[begun_];
    co_await next.sum;
    if (failed_ != nullptr) std::rethrow_exception(failed_);
    if (next.between) continue;  // by another bucket, meanwhile
    for (float& value : next.bucket->values) value *= share;
    try {
      next.between.emplace(leader_->start(*next.bucket, next.priority));
    } catch (...) {
      failed_ = std::current_exception();  // no other bucket may try that again
      throw;
    }
    ++begun_;
  }
}

void NodeReducer::drop() {
  entries_.clear();
  if (leader_ != nullptr) leader_->drop();
}

// Ranks may wait for this one in calls that it has not come to yet.
void NodeReducer::give_up(const std::string& why) noexcept {
  host_.give_up(why);
  between_->give_up(why);
  if (leader_ != nullptr) leader_->give_up(why);
}

void NodeReducer::end_step() {
  if (options_.replays) return on_leaders([this] { leader_->end_step(); });
  if (leader_ != nullptr) leader_->end_step();
}

void NodeReducer::discard_step() {
  if (leader_ != nullptr) leader_->discard_step();
}

void NodeReducer::discard_layer(const std::string& name) {
  if (leader_ != nullptr) leader_->discard_layer(name);
}

double NodeReducer::wire_bytes(const Layer& layer) {
  return leader_ != nullptr ? leader_->wire_bytes(layer) : 0.0;
}

Traffic NodeReducer::traffic() const {
  Traffic traffic = leader_ != nullptr ? leader_->traffic() : Traffic();
  traffic.sent_bytes += host_.bytes_sent();
  traffic.dense_bytes = dense_bytes_;
  return traffic;
}

std::uint64_t NodeReducer::own_bytes_sent() const {
  return host_.bytes_sent() + between_->bytes_sent();
}

void NodeReducer::watch(Timeline* timeline) {
  timeline_ = timeline;
  if (leader_ != nullptr) leader_->watch(timeline);
}

std::vector<PlanRecord> NodeReducer::take_plans() {
  return leader_ != nullptr ? leader_->take_plans() : std::vector<PlanRecord>();
}

std::vector<ShadowRow> NodeReducer::take_shadow() {
  return leader_ != nullptr ? leader_->take_shadow() : std::vector<ShadowRow>();
}

ReducerState NodeReducer::state() {
  ReducerState state = leader_ != nullptr ? leader_->state() : ReducerState();
  state.plans = comm::broadcast_text(host_, state.plans, 0);
  std::vector<std::string> names;
  for (const auto& [name, values] : state.arrays) names.push_back(name);
  const auto count =
      comm::broadcast_values(host_, std::vector<std::int64_t>{std::ssize(names)}, 0).front();
  names.resize(static_cast<std::size_t>(count));
  for (std::string& name : names) {
    name = comm::broadcast_text(host_, name, 0);
    auto& values = state.arrays[name];
    values = comm::broadcast_values(host_, std::move(values), 0);
  }
  return state;
}

void NodeReducer::load_state(const ReducerState& state) {
  const ReducerState of_host = state_of_host(state);
  if (leader_ != nullptr) leader_->load_state(of_host);
}

ReducerState NodeReducer::state_of_host(const ReducerState& state) {
  ReducerState mean = state;
  std::uint64_t hash = 0;
  std::vector<std::vector<float>*> owed;  // in the order of names
  for (auto& [name, values] : mean.arrays) {
    if (!name.starts_with("residual/") && !name.starts_with("window/")) continue;
    hash = hash64(std::as_bytes(std::span(values)), hash64(std::as_bytes(std::span(name)), hash));
    owed.push_back(&values);
  }
  const auto differs = [this](std::uint64_t value) {
    const auto all = comm::all_gather_values(host_, std::vector{static_cast<std::int64_t>(value)});
    return std::ranges::count(all, all.front()) != std::ssize(all);
  };
  if (!differs(hash)) return mean;
  std::uint64_t names = 0;
  for (const auto* values : owed) names = mix({names, values->size()});
  if (differs(names)) {
    logger("compress")
        ->warn(
            "ranks of one host come with residuals of other layers: those of the "
            "first rank are taken");
    return mean;
  }
  for (auto* values : owed) {
    *values = comm::all_reduce_values(host_, std::move(*values), comm::ReduceOp::kMean);
  }
  return mean;
}

}  // namespace convoy::compress
