// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/plan_book.h"

#include <spdlog/fmt/fmt.h>

#include <utility>

#include "base/errors.h"
#include "base/hash.h"
#include "base/log.h"
#include "comm/values.h"
#include "compress/reduce/plan_json.h"

namespace convoy::compress::internal {
namespace {

void require_levels(const PlanRecord& plan, const Family& family) {
  for (const PlannedLayer& layer : plan.layers) {
    if (layer.level.is_dense()) continue;
    try {
      family.check_level(layer.level);
    } catch (const ContractError& error) {
      throw ConfigError(fmt::format("the plan of step {} cannot be replayed: {}: {}", plan.step,
                                    layer.name, error.what()));
    }
  }
}

}  // namespace

PlanBook::PlanBook(comm::Communicator& communicator, Family& family,
                   const CompressionConfig& config, const Executors& executors,
                   std::vector<PlanRecord> replay)
    : communicator_(communicator),
      family_(family),
      config_(config),
      replay_(std::move(replay)),
      schedule_{config.warmup_steps, config.adapt_every, config.window, config.plan_lag},
      window_(executors.reducing) {
  check_replay();
  if (config.objective == "time" && config.guard_every > 0 && replay_.empty() &&
      communicator.size() > 1) {
    guard_.emplace(config.warmup_steps + config.guard_every, config.guard_every);
  }
  if (!plans_levels(config) || !replay_.empty() || communicator.size() == 1) return;
  replanner_ = std::make_unique<Replanner>(communicator, family, plan_request(config),
                                           executors.planning, busy_);
}

void PlanBook::check_replay() {
  std::string text;
  for (PlanRecord& plan : replay_) {
    plan.policy = "replay";
    text += to_json_line(plan);
  }
  // First: what follows then holds on all ranks, or on none.
  const auto hash = static_cast<std::int64_t>(hash64(std::as_bytes(std::span(text))));
  const auto hashes = comm::all_gather_values(communicator_, std::vector{hash});
  for (std::size_t rank = 1; rank < hashes.size(); ++rank) {
    require_config(hashes[rank] == hashes[0],
                   fmt::format("rank {} replays other plans than rank 0", rank));
  }
  for (const PlanRecord& plan : replay_) require_levels(plan, family_);
}

void PlanBook::begin_step(std::int64_t step, const std::function<double()>& step_error) {
  step_ = step;
  for (const PlanRecord& plan : replay_) {
    if (plan.step <= step && (!current_ || current_->step < plan.step)) adopt(plan);
  }
  if (replanner_ != nullptr) {
    adopt_if_due();
    // Without a step that counts there is nothing to plan from: the plan stays.
    if (schedule_.window_ended(step) && window_.steps() > 0) start_planning(step_error());
    adopt_if_due();  // without a lag the plan is due at once
  }
  if (guard_) guard();
}

void PlanBook::guard() {
  const auto before = std::exchange(step_began_, BucketClock::Clock::now());
  clock_.begin_step(step_began_);
  const double seconds = before == BucketClock::Clock::time_point{}
                             ? 0.0
                             : std::chrono::duration<double>(step_began_ - before).count();
  const double dense_costs =
      current_ ? 1e-3 * (current_->dense_predicted_ms - current_->predicted_ms) : 0.0;
  const bool dense = guard_->begin_step(step_, seconds, dense_costs, [this](double own) {
    return comm::all_reduce_value(communicator_, own, comm::ReduceOp::kMax);
  });
  if (!current_ || dense == goes_dense_) return;
  goes_dense_ = dense;
  PlanRecord record = dense ? dense_plan() : *current_;
  record.step = step_;
  announce(std::move(record));
}

PlanRecord PlanBook::dense_plan() const {
  PlanRecord record{.policy = "dense"};
  for (const auto& [name, layer] : layers_) {
    record.layers.push_back({name, layer.numel, Level::dense(),
                             family_.wire_bytes(layer, Level::dense(), communicator_.size()),
                             family_.payload_bytes(layer, Level::dense()), 0.0});
    record.bytes += record.layers.back().wire_bytes;
  }
  record.dense_bytes = record.bytes;
  record.hash = plan_hash(record.layers);
  return record;
}

void PlanBook::arrives(const Bucket& bucket) {
  if (config_.objective == "time") clock_.arrives(bucket, BucketClock::Clock::now());
}

void PlanBook::start_planning(double step_error) {
  PlanRecord record;
  record.step = due_ = step_ + schedule_.plan_lag;
  record.policy = "lgreco";
  record.step_error = step_error;
  const std::int64_t steps = window_.steps();
  replanner_->start(window_.take(), steps, layers_, clock_, std::move(record));
}

void PlanBook::adopt_if_due() {
  if (step_ != due_) return;
  wait_for_plan();
  if (!ready_) return;
  PlanRecord record = *std::exchange(ready_, std::nullopt);
  if (!record.layers.empty()) return adopt(std::move(record));
  logger("compress")->warn("step {}: gradients too large to plan from; the old plan stays", step_);
}

void PlanBook::wait_for_plan() {
  if (replanner_ != nullptr && replanner_->started()) ready_ = replanner_->take();
}

void PlanBook::adopt(PlanRecord record) {
  current_ = record;
  if (!goes_dense_) announce(std::move(record));
}

void PlanBook::announce(PlanRecord record) {
  put_into_effect(record);
  record.version = ++version_;
  announced_.push_back(std::move(record));
}

// From here on each collective says which plan its rank has, so that one with another is found out.
void PlanBook::put_into_effect(const PlanRecord& record) {
  levels_.clear();
  for (const PlannedLayer& layer : record.layers) levels_[layer.name] = layer.level;
  const std::string hash = plan_hash(record.layers);
  communicator_.set_context(
      static_cast<std::uint32_t>(hash64(std::as_bytes(std::span<const char>(hash)))));
}

void PlanBook::note(const Layer& layer, std::span<const float> gradient) {
  layers_.try_emplace(layer.name, layer);
  if (replanner_ != nullptr && schedule_.in_window(step_)) window_.add(layer.name, gradient);
}

Level PlanBook::level_of(const Layer& layer) const {
  const auto planned = levels_.find(layer.name);
  return planned == levels_.end() ? Level(reference_level(config_)) : planned->second;
}

void PlanBook::end_step() {
  if (step_ < schedule_.warmup_steps) return;
  if (!replay_.empty() && current_) return require_replay_covers_layers();
  if (!current_) announce_uniform();
}

void PlanBook::require_replay_covers_layers() const {
  for (const auto& [name, layer] : layers_) {
    require_config(levels_.contains(name),
                   fmt::format("the plan of step {} cannot be replayed: it has no level for {}",
                               current_->step, name));
  }
  for (const auto& [name, level] : levels_) {
    require_config(layers_.contains(name),
                   fmt::format("the plan of step {} cannot be replayed: {} is not compressed here",
                               current_->step, name));
  }
}

void PlanBook::announce_uniform() {
  PlanRecord record;
  record.step = step_;
  record.policy = "uniform";
  for (const auto& [name, layer] : layers_) {
    const Level level = level_of(layer);
    record.layers.push_back({name, layer.numel, level,
                             family_.wire_bytes(layer, level, communicator_.size()),
                             family_.payload_bytes(layer, level), 0.0});
    record.bytes += record.layers.back().wire_bytes;
    record.dense_bytes += family_.wire_bytes(layer, Level::dense(), communicator_.size());
  }
  record.hash = plan_hash(record.layers);
  adopt(std::move(record));
}

std::vector<PlanRecord> PlanBook::take_announced() { return std::exchange(announced_, {}); }

void PlanBook::give_up(const std::string& why) noexcept {
  if (replanner_ != nullptr) replanner_->give_up(why);
}

std::uint64_t PlanBook::bytes_sent() const {
  return replanner_ == nullptr ? 0 : replanner_->bytes_sent();
}

std::string PlanBook::made_for() const {
  return fmt::format("{} {} {}", family_.name(), config_.policy, reference_level(config_));
}

PlanState PlanBook::save(ReducerState& state) {
  wait_for_plan();
  window_.save(state);
  PlanState plans{version_, made_for(), current_, ready_, layers_, window_.steps(), {}, {}};
  if (guard_) plans.guard = guard_->state();
  return plans;
}

void PlanBook::load(const ReducerState& state, PlanState plans) {
  wait_for_plan();
  window_.load(state, plans.window_steps);
  version_ = plans.version;
  layers_ = std::move(plans.layers);
  current_.reset();
  ready_.reset();
  levels_.clear();
  communicator_.set_context(0);
  if (plans.made_for == made_for()) {
    current_ = std::move(plans.current);
    ready_ = std::move(plans.ready);
  } else if (plans.current) {
    logger("compress")
        ->warn("the checkpoint's plan is for {}, this run is {}: it starts uniform", plans.made_for,
               made_for());
  }
  due_ = ready_ ? ready_->step : -1;
  if (!current_) return;
  if (guard_ && plans.guard) guard_->load(*plans.guard);
  step_began_ = {};
  goes_dense_ = guard_ && guard_->state().dense;
  put_into_effect(goes_dense_ ? dense_plan() : *current_);
}

}  // namespace convoy::compress::internal
