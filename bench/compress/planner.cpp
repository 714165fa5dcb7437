// SPDX-License-Identifier: Apache-2.0
// How long planning takes, and how near the optimum is proven:
//   build/bin/planner_speed
// Names end in layers/levels. "gap" is the proven one in per cent. Wanted on one core: 54/32 in
// 10 ms, 1000/16 in 200 ms.
#include <benchmark/benchmark.h>

#include <cmath>
#include <string>

#include "base/random.h"
#include "compress/plan/plan.h"

namespace convoy {
namespace {

using compress::LayerTable;
using compress::Level;
using compress::LevelCost;
using compress::Table;

/// Layers of 400 to 3,000,000 values, gradients of very different sizes, errors that fall by 4 with
/// each bit.
LayerTable quantize_layer(int levels, Random& random) {
  const double numel = std::floor(std::exp(6.0 + 9.0 * random.uniform()));
  const double scale = std::exp(2.0 * random.normal());
  LayerTable layer;
  for (int i = 0; i < levels; ++i) {
    const double bits = 1.0 + 7.0 * i / levels;
    const double noise = 0.95 + 0.1 * random.uniform();
    layer.levels.push_back(
        {Level(bits), std::ceil(numel * bits / 8.0), numel * scale * std::pow(4.0, -bits) * noise});
  }
  return layer;
}

/// Layers that are all alike, of the same few bytes: many plans of nearly equal cost.
LayerTable alike_layer(int levels, Random& random) {
  LayerTable layer;
  for (int i = 0; i < levels; ++i) {
    const double rank = i + 1.0;
    layer.levels.push_back(
        {Level(rank), 4096.0 * rank, (0.99 + 0.02 * random.uniform()) / std::sqrt(rank)});
  }
  return layer;
}

/// Error and bytes that nearly add up to a constant, not integral: no bound tells plans apart.
LayerTable hard_layer(int levels, Random& random) {
  LayerTable layer;
  for (int i = 0; i < levels; ++i) {
    const double bytes = 10.0 + 1000.0 * random.uniform();
    layer.levels.push_back({Level(i + 1.0), bytes, 1100.0 - bytes + 3.0 * random.uniform()});
  }
  return layer;
}

using MakeLayer = LayerTable (*)(int, Random&);

void plan(benchmark::State& state, MakeLayer make_layer) {
  Random random{1};
  Table table;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    table.push_back(make_layer(static_cast<int>(state.range(1)), random));
  }
  const Level reference = table.front().levels[table.front().levels.size() / 2].level;
  const double budget = compress::max_error(table, {.reference = reference});
  compress::Choice choice;
  for (auto _ : state) {
    choice = compress::lgreco(table, budget, compress::ErrorMetric::kSquaredL2);
    benchmark::DoNotOptimize(choice.bytes);
  }
  if (choice.error > budget) state.SkipWithError("the plan is over the budget");
  state.counters["gap"] = 100.0 * choice.gap();
  state.counters["saved"] =
      compress::uniform(table, reference, compress::ErrorMetric::kSquaredL2).bytes / choice.bytes;
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->Args({54, 32})->Args({1000, 16})->Unit(benchmark::kMillisecond);
}

BENCHMARK_CAPTURE(plan, quantize, quantize_layer)->Apply(sizes);
BENCHMARK_CAPTURE(plan, alike, alike_layer)->Apply(sizes);
BENCHMARK_CAPTURE(plan, hard, hard_layer)->Apply(sizes);

}  // namespace
}  // namespace convoy

BENCHMARK_MAIN();
