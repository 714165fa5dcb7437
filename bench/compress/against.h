// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

namespace convoy::bench {

/// Seconds that `work` takes.
template <typename Work>
double seconds_of(Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  benchmark::ClobberMemory();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Times `work` (what is reported), and before each run of it `yardstick`: the counter `ratio` is
/// the median of work / yardstick, `spread` its median absolute deviation. Taken in turns, so that
/// other load on the machine meets both. Register with UseManualTime().
template <typename Yardstick, typename Work>
void time_against(benchmark::State& state, Yardstick yardstick, Work work) {
  yardstick();
  work();
  std::vector<double> ratios;
  for (auto _ : state) {
    const double reference = seconds_of(yardstick);
    const double seconds = seconds_of(work);
    state.SetIterationTime(seconds);
    ratios.push_back(seconds / reference);
  }
  const auto median = [](std::vector<double>& values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
  };
  const double ratio = median(ratios);
  for (double& value : ratios) value = std::abs(value - ratio);
  state.counters["ratio"] = ratio;
  state.counters["spread"] = median(ratios);
}

}  // namespace convoy::bench
