// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/power_sgd_family.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/errors.h"
#include "base/hash.h"
#include "compress/reduce/internal/state_entries.h"
#include "compress/reduce/turns.h"

namespace convoy::compress {
namespace {

/// Ranks beyond this are no compression, and factors of them no small memory.
constexpr double kMaxRank = 4096.0;

std::int64_t rank_of(Level level) { return static_cast<std::int64_t>(level.value()); }

std::int64_t factor_values(MatrixShape shape, Level level) {
  return rank_of(level) * (shape.rows + shape.columns);
}

/// Cuts `count` values off the front of `rest`.
std::span<float> take(std::span<float>& rest, std::int64_t count) {
  const auto front = rest.first(static_cast<std::size_t>(count));
  rest = rest.subspan(front.size());
  return front;
}

}  // namespace

void PowerSgdFamily::check_level(Level level) const {
  const double rank = level.value();
  require(rank >= 1.0 && rank <= kMaxRank && rank == std::floor(rank),
          fmt::format("power_sgd has ranks 1 to {}, not {}", kMaxRank, to_text(level)));
}

bool PowerSgdFamily::sends_dense(const Layer& layer, Level level) const {
  if (level.is_dense()) return true;
  const MatrixShape shape = matrix_shape(layer.shape);
  return factor_values(shape, level) >= shape.numel();
}

Reduction PowerSgdFamily::reduce(std::span<const Item> items, int priority) {
  Turns turns(communicator_, 2, comm::PlaceFor::kAllReduce, priority);
  const auto work = works_.take();
  make_p(items, *work);
  auto p = average(items.front(), work->p, turns.next());
  co_await p;
  make_q(items, *work);
  auto q = average(items.front(), work->q, turns.next());
  co_await q;
  apply(items, *work);
}

void PowerSgdFamily::make_p(std::span<const Item> items, Work& work) {
  std::int64_t p_values = 0;
  std::int64_t q_values = 0;
  for (const Item& item : items) {
    const MatrixShape shape = matrix_shape(item.layer->shape);
    p_values += rank_of(item.level) * shape.rows;
    q_values += rank_of(item.level) * shape.columns;
  }
  Executor& executor = *executors_.reducing;
  auto p = work.p.resize(executor, static_cast<std::size_t>(p_values));
  work.q.resize(executor, static_cast<std::size_t>(q_values));

  for (const Item& item : items) {
    const auto span = timed(Phase::kEncode, item);
    const MatrixShape shape = matrix_shape(item.layer->shape);
    begin_with(item, work.start);
    executor.multiply(item.owed, shape, work.start.values(),
                      take(p, rank_of(item.level) * shape.rows));
  }
}

void PowerSgdFamily::make_q(std::span<const Item> items, Work& work) {
  Executor& executor = *executors_.reducing;
  auto p = work.p.values();
  auto q = work.q.values();
  work.columns.clear();
  for (const Item& item : items) {
    const MatrixShape shape = matrix_shape(item.layer->shape);
    work.columns.push_back({take(p, rank_of(item.level) * shape.rows), shape.rows});
  }
  {
    const auto span = timed(Phase::kEncode, items.front());
    executor.orthogonalise(work.columns);
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Item& item = items[i];
    const auto span = timed(Phase::kEncode, item);
    const MatrixShape shape = matrix_shape(item.layer->shape);
    executor.multiply_transposed(item.owed, shape, work.columns[i].values,
                                 take(q, rank_of(item.level) * shape.columns));
  }
}

void PowerSgdFamily::apply(std::span<const Item> items, const Work& work) {
  Executor& executor = *executors_.reducing;
  auto p = work.p.values();
  auto q = work.q.values();
  for (const Item& item : items) {
    const auto span = timed(Phase::kDecode, item);
    const MatrixShape shape = matrix_shape(item.layer->shape);
    const auto own_p = take(p, rank_of(item.level) * shape.rows);
    const auto own_q = take(q, rank_of(item.level) * shape.columns);
    executor.product_and_residual(own_p, own_q, shape, item.mean, item.owed);
    WarmStart& factor = factors_[item.layer->name];
    executor.copy(own_q, factor.next.resize(executor, own_q.size()));
    factor.pending = true;
  }
}

Reduction PowerSgdFamily::average(const Item& first, const Factor& factors, comm::Turn turn) {
  const auto span = timed(Phase::kWire, first);
  auto mean = communicator_.all_reduce(buffer_of(*executors_.reducing, factors),
                                       comm::ReduceOp::kMean, turn);
  co_await mean;
}

void PowerSgdFamily::begin_with(const Item& item, Factor& q) {
  Executor& executor = *executors_.reducing;
  const MatrixShape shape = matrix_shape(item.layer->shape);
  const auto all =
      q.resize(executor, static_cast<std::size_t>(rank_of(item.level) * shape.columns));
  const std::span<const float> last = factors_[item.layer->name].current.values();
  const std::size_t kept = std::min(all.size(), last.size());
  executor.copy(last.first(kept), all.first(kept));
  executor.fill_zero(all.subspan(kept));
  executor.draw_missing_columns(all, shape.columns, item.key);
}

double PowerSgdFamily::payload_bytes(const Layer& layer, Level level) const {
  if (sends_dense(layer, level)) return static_cast<double>(layer.numel) * sizeof(float);
  const auto values = factor_values(matrix_shape(layer.shape), level);
  return static_cast<double>(values) * sizeof(float);
}

double PowerSgdFamily::wire_bytes(const Layer& layer, Level level, int ranks) const {
  return two_hop_bytes(payload_bytes(layer, level), ranks);
}

std::vector<LevelCost> PowerSgdFamily::table(const Layer& layer, std::span<const float> gradient,
                                             std::span<const Level> candidates, int ranks) {
  const MatrixShape shape = matrix_shape(layer.shape);
  std::int64_t largest = 0;
  for (const Level level : candidates) {
    if (!level.is_dense()) largest = std::max(largest, rank_of(level));
  }
  largest = std::min({largest, shape.rows, shape.columns});
  auto& factor = table_factors_[layer.name];
  factor.resize(static_cast<std::size_t>(largest * shape.columns));
  const auto key = hash64(std::as_bytes(std::span(layer.name)));
  auto costs = low_rank_levels(gradient, shape, candidates, factor, key);
  for (LevelCost& cost : costs) {
    cost.bytes = wire_bytes(layer, cost.level, ranks);
    if (sends_dense(layer, cost.level)) cost.error = 0.0;
  }
  return costs;
}

void PowerSgdFamily::commit() {
  for (auto& [name, factor] : factors_) {
    if (factor.pending) std::swap(factor.current, factor.next);
    factor.pending = false;
  }
}

void PowerSgdFamily::discard() {
  for (auto& [name, factor] : factors_) factor.pending = false;
}

void PowerSgdFamily::discard(const std::string& layer) {
  const auto found = factors_.find(layer);
  if (found != factors_.end()) found->second.pending = false;
}

void PowerSgdFamily::save(ReducerState& state) const {
  for (const auto& [name, factor] : factors_) {
    if (factor.current.empty()) continue;  // its first step does not count yet
    state.arrays["factor/" + name] = factor.current.to_host(*executors_.reducing);
  }
  for (const auto& [name, factor] : table_factors_) state.arrays["table_factor/" + name] = factor;
}

void PowerSgdFamily::load(const ReducerState& state) {
  factors_.clear();
  table_factors_.clear();
  for (const auto& [name, values] : internal::entries_of(state, "factor/")) {
    factors_[name].current.assign(*executors_.reducing, *values);
  }
  for (const auto& [name, values] : internal::entries_of(state, "table_factor/")) {
    table_factors_[name] = *values;
  }
}

double PowerSgdFamily::codec_seconds(const Layer& layer, std::span<const float> gradient,
                                     Level level, int ranks) {
  (void)ranks;
  const MatrixShape shape = matrix_shape(layer.shape);
  Executor& executor = *executors_.planning;
  Factor q;
  Factor p;
  Array<float> mean;
  Array<float> owed;
  q.resize(executor, static_cast<std::size_t>(rank_of(level) * shape.columns));
  p.resize(executor, static_cast<std::size_t>(rank_of(level) * shape.rows));
  mean.resize(executor, gradient.size());
  owed.assign(executor, gradient);
  executor.fill_zero(q.values());
  executor.draw_missing_columns(q.values(), shape.columns, 1);
  const double begin = executor.seconds();
  executor.multiply(owed.values(), shape, q.values(), p.values());
  executor.orthogonalise(std::array{Executor::Columns{p.values(), shape.rows}});
  executor.multiply_transposed(owed.values(), shape, p.values(), q.values());
  executor.product_and_residual(p.values(), q.values(), shape, mean.values(), owed.values());
  return executor.seconds() - begin;
}

}  // namespace convoy::compress
