// SPDX-License-Identifier: Apache-2.0
#include "bench/harness.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "comm/values.h"

namespace convoy::bench {
namespace {

/// Of sorted values, interpolated.
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

Timing summarize(std::vector<double> seconds) {
  require(!seconds.empty(), "a timing needs at least one repeat");
  std::sort(seconds.begin(), seconds.end());
  Timing timing;
  timing.median = quantile(seconds, 0.5);
  timing.min = seconds.front();
  timing.p95 = quantile(seconds, 0.95);
  for (double& value : seconds) value = std::abs(value - timing.median);
  std::sort(seconds.begin(), seconds.end());
  timing.spread = quantile(seconds, 0.5);
  return timing;
}

double time_slowest(comm::Communicator& communicator, const std::function<void()>& work) {
  communicator.barrier().wait();
  const auto start = std::chrono::steady_clock::now();
  work();
  const auto seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return comm::all_reduce_value(communicator, seconds, comm::ReduceOp::kMax);
}

std::string to_json(const std::string& key, const Timing& timing) {
  const nlohmann::ordered_json value{{"median", timing.median},
                                     {"spread", timing.spread},
                                     {"min", timing.min},
                                     {"p95", timing.p95}};
  return nlohmann::json(key).dump() + ":" + value.dump();
}

}  // namespace convoy::bench
