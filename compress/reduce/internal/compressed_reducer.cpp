// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/compressed_reducer.h"

#include <exception>
#include <optional>
#include <utility>

#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"

namespace convoy::compress::internal {
namespace {

Residuals::Storage storage_of(const std::string& residual) {
  if (residual == "off") return Residuals::Storage::kOff;
  return residual == "bfloat16" ? Residuals::Storage::kBFloat16 : Residuals::Storage::kFloat32;
}

/// Says while it lives that gradients travel: planning then gives way.
class Busy {
 public:
  Busy(int& under_way, std::atomic<bool>& flag) : under_way_(under_way), flag_(flag) {
    ++under_way_;
    flag_ = true;
  }
  ~Busy() { flag_ = --under_way_ > 0; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  int& under_way_;
  std::atomic<bool>& flag_;
};

}  // namespace

CompressedReducer::CompressedReducer(comm::Communicator& communicator,
                                     std::unique_ptr<Family> family, Options options)
    : communicator_(communicator),
      family_(std::move(family)),
      options_(std::move(options)),
      executor_(options_.executors.reducing),
      residuals_(storage_of(options_.config.residual), executor_),
      sent_(communicator),
      plans_(communicator, *family_, options_.config, options_.executors,
             std::move(options_.replay)) {}

void CompressedReducer::begin_step(std::int64_t step) {
  executor_->enter();
  commit();
  step_ = step;
  if (timeline_ != nullptr) timeline_->begin_communication(step);
  if (communicator_.size() == 1) return;
  const auto& config = options_.config;
  const bool shadow_is_over = step == config.warmup_steps + config.shadow_steps;
  // What shadow steps owe has been paid densely.
  if (config.shadow_steps > 0 && shadow_is_over) residuals_.clear();
  plans_.begin_step(step, [this] { return residuals_.squared_norm(); });
}

Reduction CompressedReducer::start(const Bucket& bucket, int priority) {
  dense_bytes_ += static_cast<std::uint64_t>(
      two_hop_bytes(static_cast<double>(bucket.values.size_bytes()), communicator_.size()));
  plans_.arrives(bucket);
  const Busy busy(under_way_, plans_.busy());
  sent_.start();
  const auto work = works_.take();
  executor_->follow_others();
  note(bucket);
  if (is_shadow_step()) {
    auto compared = compare_with_dense(bucket, *work, priority);
    co_await compared;
  } else {
    prepare(bucket, *work);
    auto exchanged = exchange(*work, priority);
    co_await exchanged;
  }
  executor_->finish();
}

void CompressedReducer::note(const Bucket& bucket) {
  if (communicator_.size() == 1) return;
  for (const Layer& layer : bucket.layers) {
    if (compresses(layer)) plans_.note(layer, bucket.values_of(layer));
  }
}

bool CompressedReducer::compresses(const Layer& layer) {
  const auto known = compresses_.find(layer.name);
  if (known != compresses_.end()) return known->second;
  return compresses_[layer.name] =
             communicator_.size() > 1 &&
             compress::compresses(options_.config, layer.name, layer.shape, layer.numel);
}

double CompressedReducer::wire_bytes(const Layer& layer) {
  const bool dense = is_warm_up() || !compresses(layer);
  const Level level = dense ? Level::dense() : plans_.level_of(layer);
  return family_->wire_bytes(layer, level, communicator_.size());
}

bool CompressedReducer::is_shadow_step() const {
  const std::int64_t begin = options_.config.warmup_steps;
  return communicator_.size() > 1 && step_ >= begin && step_ < begin + options_.config.shadow_steps;
}

void CompressedReducer::prepare(const Bucket& bucket, Work& work) {
  const TimedSpan span(timeline_, Phase::kEncode, bucket.layers.front().name);
  work.items.clear();
  work.fused.begin_bucket(executor_, bucket.owner);
  work.room.begin_bucket(std::ssize(bucket.values));
  for (const Layer& layer : bucket.layers) {
    const auto values = bucket.values_of(layer);
    const bool dense =
        is_warm_up() || !compresses(layer) || family_->sends_dense(layer, plans_.level_of(layer));
    if (dense) {
      // A resumed run may owe for layers that it does not compress.
      if (residuals_.owes(layer.name)) residuals_.pay(layer.name, values, work.room);
      if (work.fused.empty()) work.first_dense = layer.name;
      work.fused.add(values);
      continue;
    }
    const auto key = mix({options_.seed, hash64(std::as_bytes(std::span(layer.name))),
                          static_cast<std::uint64_t>(step_)});
    const auto owed = residuals_.owed(layer.name, values, work.room);
    work.items.push_back({&layer, plans_.level_of(layer), key, owed, values});
  }
}

Reduction CompressedReducer::exchange(Work& work, int priority) {
  // Both begin before either is waited for.
  std::optional<Reduction> dense;
  std::optional<Reduction> compressed;
  if (communicator_.size() > 1 && !work.fused.empty()) {
    dense.emplace(average(work, {.priority = priority}));
  }
  if (!work.items.empty()) compressed.emplace(family_->reduce(work.items, priority));
  if (dense) co_await *dense;
  if (!compressed) co_return;
  co_await *compressed;
  const TimedSpan span(timeline_, Phase::kEncode, work.items.front().layer->name);
  for (const Item& item : work.items) residuals_.keep(item.layer->name, item.owed);
}

Reduction CompressedReducer::average(Work& work, comm::Turn turn) {
  const TimedSpan span(timeline_, Phase::kWire, work.first_dense);
  auto averaged = work.fused.average(communicator_, turn);
  co_await averaged;
}

Reduction CompressedReducer::compare_with_dense(const Bucket& bucket, Work& work, int priority) {
  const auto on_host = [&] {
    std::vector<float> values(bucket.values.size());
    executor_->copy_out(std::as_bytes(bucket.values), std::as_writable_bytes(std::span(values)));
    return values;
  };
  const std::vector<float> own = on_host();
  prepare(bucket, work);
  auto exchanged = exchange(work, priority);
  const std::uint64_t last = communicator_.reserve(1, comm::PlaceFor::kAllReduce);
  co_await exchanged;
  const std::vector<float> means = on_host();
  executor_->copy_in(std::as_bytes(std::span(own)), std::as_writable_bytes(bucket.values));
  work.fused.begin_bucket(executor_, bucket.owner);
  work.first_dense = bucket.layers.front().name;
  work.fused.add(bucket.values);
  auto averaged = average(work, {.priority = priority, .place = last});
  co_await averaged;
  const std::vector<float> dense = on_host();
  for (const Layer& layer : bucket.layers) {
    if (!compresses(layer)) continue;
    const auto part = [&layer](const std::vector<float>& values) {
      return std::span(values).subspan(static_cast<std::size_t>(layer.offset),
                                       static_cast<std::size_t>(layer.numel));
    };
    shadow_.add(layer.name, part(dense), part(means));
  }
}

void CompressedReducer::end_step() {
  sent_.stop();
  if (communicator_.size() > 1) plans_.end_step();
}

void CompressedReducer::drop() {
  try {
    executor_->finish();
  } catch (const std::exception& error) {
    logger("compress")->warn("after a failure: {}", error.what());
  }
}

void CompressedReducer::commit() {
  residuals_.commit();
  family_->commit();
  plans_.commit();
  shadow_.commit();
}

void CompressedReducer::discard_step() {
  residuals_.discard();
  family_->discard();
  plans_.discard();
  shadow_.discard();
}

void CompressedReducer::discard_layer(const std::string& name) {
  residuals_.discard(name);
  family_->discard(name);
}

Traffic CompressedReducer::traffic() const {
  Traffic traffic{.dense_bytes = dense_bytes_, .sent_bytes = sent_.bytes()};
  traffic.planning_bytes = plans_.bytes_sent();
  traffic.saturated = family_->saturated();
  traffic.residual_bytes = residuals_.bytes();
  return traffic;
}

void CompressedReducer::watch(Timeline* timeline) {
  timeline_ = timeline;
  family_->watch(timeline);
}

std::vector<ShadowRow> CompressedReducer::take_shadow() {
  const auto& config = options_.config;
  const bool was_last = step_ + 1 == config.warmup_steps + config.shadow_steps;
  if (config.shadow_steps == 0 || !was_last) return {};
  commit();
  return std::exchange(shadow_, {}).rows();
}

ReducerState CompressedReducer::state() {
  executor_->enter();
  commit();
  ReducerState state;
  PlanState plans = plans_.save(state);  // first: it waits for a plan that uses the family
  plans.shadow = shadow_.sums();
  residuals_.save(state);
  family_->save(state);
  state.plans = plans_to_json(plans);
  return state;
}

void CompressedReducer::load_state(const ReducerState& state) {
  executor_->enter();
  PlanState plans = plans_from_json(state.plans);
  shadow_.load(std::move(plans.shadow));
  plans_.load(state, std::move(plans));  // first: it waits for a plan that uses the family
  residuals_.load(state);
  family_->load(state);
}

}  // namespace convoy::compress::internal
