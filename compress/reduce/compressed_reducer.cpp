// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/compressed_reducer.h"

#include <fnmatch.h>

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "base/hash.h"
#include "base/random.h"
#include "compress/reduce/internal/reducer_state.h"

namespace convoy::compress {
namespace {

internal::Residuals::Storage storage_of(const std::string& residual) {
  if (residual == "off") return internal::Residuals::Storage::kOff;
  return residual == "bfloat16" ? internal::Residuals::Storage::kBFloat16
                                : internal::Residuals::Storage::kFloat32;
}

std::vector<Level> levels_of(const CompressionConfig& config) {
  std::vector<Level> levels;
  for (const double value : candidate_levels(config)) levels.emplace_back(value);
  levels.push_back(Level::dense());
  return levels;
}

Budget budget_of(const CompressionConfig& config) {
  return {.reference = Level(reference_level(config)),
          .alpha = config.alpha,
          .metric = config.error_metric == "l2" ? ErrorMetric::kL2 : ErrorMetric::kSquaredL2};
}

std::uint64_t name_key(const std::string& name) { return hash64(std::as_bytes(std::span(name))); }

/// Says while it lives that gradients travel.
class Busy {
 public:
  explicit Busy(std::atomic<bool>& flag) : flag_(flag) { flag_ = true; }
  ~Busy() { flag_ = false; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  std::atomic<bool>& flag_;
};

}  // namespace

CompressedReducer::CompressedReducer(comm::Communicator& communicator,
                                     std::unique_ptr<Family> family, Options options)
    : communicator_(communicator),
      family_(std::move(family)),
      options_(std::move(options)),
      schedule_{options_.config.warmup_steps, options_.config.adapt_every, options_.config.window,
                options_.config.plan_lag},
      residuals_(storage_of(options_.config.residual)) {
  const CompressionConfig& config = options_.config;
  if (config.policy != "lgreco" || !options_.replay.empty() || communicator.size() == 1) return;
  replanner_ = std::make_unique<internal::Replanner>(
      communicator, *family_,
      internal::ReplannerOptions{levels_of(config), budget_of(config), config.window}, busy_);
}

CompressedReducer::~CompressedReducer() = default;

void CompressedReducer::begin_step(std::int64_t step) {
  commit();
  step_ = step;
  if (communicator_.size() == 1) return;
  if (step == options_.config.warmup_steps + options_.config.shadow_steps &&
      options_.config.shadow_steps > 0) {
    residuals_.clear();  // what shadow steps owe has been paid densely
    shadow_is_new_ = true;
  }
  follow_plans();
}

void CompressedReducer::follow_plans() {
  for (const PlanRecord& plan : options_.replay) {
    const bool is_next = plan.step <= step_ && (!current_ || current_->step < plan.step);
    if (is_next) adopt(plan);
  }
  if (replanner_ == nullptr) return;
  adopt_if_due();
  if (schedule_.window_ended(step_) && !layers_.empty()) start_planning();
  adopt_if_due();  // without a lag the plan is due at once
}

void CompressedReducer::start_planning() {
  PlanRecord record;
  record.step = due_ = step_ + schedule_.plan_lag;
  record.policy = "lgreco";
  record.residual_error = residuals_.squared_norm();
  replanner_->start(window_.take(), layers_, std::move(record));
}

void CompressedReducer::adopt_if_due() {
  if (step_ != due_) return;
  if (replanner_->started()) ready_ = replanner_->take();
  if (ready_) adopt(*std::exchange(ready_, std::nullopt));
}

void CompressedReducer::adopt(PlanRecord record) {
  levels_.clear();
  for (const PlannedLayer& layer : record.layers) levels_[layer.name] = layer.level;
  record.version = ++version_;
  current_ = record;
  announced_.push_back(std::move(record));
}

void CompressedReducer::reduce(const Bucket& bucket) {
  traffic_.dense_bytes += static_cast<std::uint64_t>(
      two_hop_bytes(static_cast<double>(bucket.values.size_bytes()), communicator_.size()));
  if (communicator_.size() == 1) return;
  const Busy busy(busy_);
  note_layers(bucket);
  const std::uint64_t before = communicator_.bytes_sent();
  if (is_shadow_step()) {
    compare_with_dense(bucket);
  } else {
    prepare(bucket);
    exchange();
  }
  traffic_.sent_bytes += communicator_.bytes_sent() - before;
}

void CompressedReducer::note_layers(const Bucket& bucket) {
  const bool in_window = replanner_ != nullptr && schedule_.in_window(step_);
  for (const Layer& layer : bucket.layers) {
    if (!compresses(layer)) continue;
    layers_.try_emplace(layer.name, layer);
    if (in_window) window_.add(layer.name, bucket.values_of(layer));
  }
}

bool CompressedReducer::compresses(const Layer& layer) const {
  const CompressionConfig& config = options_.config;
  if (layer.shape.size() < 2 || layer.numel < config.min_numel) return false;
  return std::ranges::none_of(config.exclude, [&](const std::string& glob) {
    return fnmatch(glob.c_str(), layer.name.c_str(), 0) == 0;
  });
}

bool CompressedReducer::is_shadow_step() const {
  const std::int64_t begin = options_.config.warmup_steps;
  return step_ >= begin && step_ < begin + options_.config.shadow_steps;
}

Level CompressedReducer::level_of(const Layer& layer) const {
  if (step_ < options_.config.warmup_steps || !compresses(layer)) return Level::dense();
  const auto planned = levels_.find(layer.name);
  return planned == levels_.end() ? Level(reference_level(options_.config)) : planned->second;
}

void CompressedReducer::prepare(const Bucket& bucket) {
  items_.clear();
  fused_.clear();
  residuals_.begin_bucket(std::ssize(bucket.values));
  for (const Layer& layer : bucket.layers) {
    const auto values = bucket.values_of(layer);
    const Level level = level_of(layer);
    if (step_ < options_.config.warmup_steps || !compresses(layer)) {
      fused_.add(values);
      continue;
    }
    const auto owed = residuals_.owed(layer.name, values);
    if (family_->sends_dense(layer, level)) {
      std::ranges::copy(owed, values.begin());  // all that is owed goes out
      std::ranges::fill(owed, 0.0F);
      residuals_.keep(layer.name, owed);
      fused_.add(values);
      continue;
    }
    const auto key = mix({options_.seed, name_key(layer.name), static_cast<std::uint64_t>(step_)});
    items_.push_back({&layer, level, key, owed, values});
  }
}

void CompressedReducer::exchange() {
  if (!fused_.empty()) fused_.average(communicator_);
  if (items_.empty()) return;
  family_->reduce(items_);
  for (const Item& item : items_) residuals_.keep(item.layer->name, item.owed);
}

void CompressedReducer::compare_with_dense(const Bucket& bucket) {
  const std::vector<float> own(bucket.values.begin(), bucket.values.end());
  prepare(bucket);
  exchange();
  shadow_means_.assign(bucket.values.begin(), bucket.values.end());
  std::ranges::copy(own, bucket.values.begin());
  fused_.clear();
  fused_.add(bucket.values);
  fused_.average(communicator_);
  for (const Layer& layer : bucket.layers) {
    if (!compresses(layer)) continue;
    const auto compressed =
        std::span<const float>(shadow_means_)
            .subspan(static_cast<std::size_t>(layer.offset), static_cast<std::size_t>(layer.numel));
    shadow_.add(layer.name, bucket.values_of(layer), compressed);
  }
}

void CompressedReducer::end_step() {
  const bool uniform_begins = version_ < 0 && step_ >= options_.config.warmup_steps;
  if (communicator_.size() > 1 && uniform_begins) announce_uniform();
}

void CompressedReducer::announce_uniform() {
  PlanRecord record;
  record.step = step_;
  record.policy = "uniform";
  for (const auto& [name, layer] : layers_) {
    const Level level = level_of(layer);
    record.layers.push_back({name, layer.numel, level,
                             family_->wire_bytes(layer, level, communicator_.size()),
                             family_->payload_bytes(layer, level), 0.0});
    record.bytes += record.layers.back().wire_bytes;
    record.dense_bytes += family_->wire_bytes(layer, Level::dense(), communicator_.size());
  }
  record.hash = plan_hash(record.layers);
  adopt(std::move(record));
}

void CompressedReducer::commit() {
  residuals_.commit();
  family_->commit();
}

void CompressedReducer::discard_step() {
  residuals_.discard();
  family_->discard();
}

Traffic CompressedReducer::traffic() const {
  Traffic traffic = traffic_;
  traffic.saturated = family_->saturated();
  traffic.residual_bytes = residuals_.bytes();
  return traffic;
}

std::vector<PlanRecord> CompressedReducer::take_plans() { return std::exchange(announced_, {}); }

std::vector<ShadowRow> CompressedReducer::take_shadow() {
  return std::exchange(shadow_is_new_, false) ? shadow_.rows() : std::vector<ShadowRow>();
}

ReducerState CompressedReducer::state() {
  commit();
  if (replanner_ != nullptr && replanner_->started()) ready_ = replanner_->take();
  ReducerState state;
  residuals_.save(state);
  window_.save(state);
  family_->save(state);
  state.plans = internal::plans_to_json({version_, current_, ready_, layers_});
  return state;
}

void CompressedReducer::load_state(const ReducerState& state) {
  residuals_.load(state);
  window_.load(state);
  family_->load(state);
  auto plans = internal::plans_from_json(state.plans);
  version_ = plans.version;
  current_ = std::move(plans.current);
  ready_ = std::move(plans.ready);
  due_ = ready_ ? ready_->step : -1;
  layers_ = std::move(plans.layers);
  levels_.clear();
  if (!current_) return;
  for (const PlannedLayer& layer : current_->layers) levels_[layer.name] = layer.level;
}

}  // namespace convoy::compress
