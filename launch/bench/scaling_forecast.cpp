// SPDX-License-Identifier: Apache-2.0
#include "launch/bench/scaling_forecast.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "base/errors.h"

namespace convoy::launch {
namespace {

/// What a family sends, however many ranks there are.
struct Load {
  double payload = 0.0;  // bytes
  double collectives = 0.0;
  double values = 0.0;  // compressed
};
using Loads = std::map<std::string, Load>;

constexpr double kBytesPerValue = 4.0;

Load load_of(const ScalingRun& run, const ForecastOptions& options) {
  const auto& report = run.report;
  const double dense = report.dense_bytes / traffic("none", run.ranks, options.two_hop_ranks);
  return {.payload = report.bytes / traffic(run.family, run.ranks, options.two_hop_ranks),
          .collectives = report.collectives,
          .values = run.family == "none" ? 0.0 : dense / kBytesPerValue};
}

/// Means over the runs of several ranks that are not held out.
Loads loads_of(const std::vector<const ScalingRun*>& runs, const ForecastOptions& options) {
  Loads loads;
  std::map<std::string, double> counts;
  for (const ScalingRun* run : runs) {
    if (run->ranks == 1) continue;
    const Load more = load_of(*run, options);
    Load& load = loads[run->family];
    const double weight = 1.0 / ++counts[run->family];
    load.payload += (more.payload - load.payload) * weight;
    load.collectives += (more.collectives - load.collectives) * weight;
    load.values += (more.values - load.values) * weight;
  }
  return loads;
}

CostCase case_of(const ScalingRun& run, const Loads& loads, const ForecastOptions& options) {
  CostCase what{.work = run.work(), .crowding = run.crowding};
  if (run.ranks == 1) return what;
  const auto load = loads.find(run.family);
  require(load != loads.end(), "all runs of family " + run.family + " are held out");
  what.collectives = load->second.collectives;
  // Each rank sends every other its part of a sum, and then its sum.
  what.messages = load->second.collectives * 2.0 * (run.ranks - 1);
  what.bytes = load->second.payload * traffic(run.family, run.ranks, options.two_hop_ranks);
  what.values = load->second.values;
  return what;
}

double seconds_of(const StepReport& report, Phase phase) {
  return report.phases[static_cast<std::size_t>(phase)];
}

CostModel fit(const std::vector<const ScalingRun*>& runs, const Loads& loads,
              const ForecastOptions& options) {
  std::vector<CostRun> costs;
  for (const ScalingRun* run : runs) {
    const auto& report = run->report;
    const double codec = seconds_of(report, Phase::kEncode) + seconds_of(report, Phase::kDecode);
    costs.push_back({.what = case_of(*run, loads, options),
                     .alone = report.alone.seconds,
                     .wire = seconds_of(report, Phase::kWire),
                     .codec = codec,
                     .seconds = report.together.seconds});
  }
  return fit_cost_model(costs);
}

std::vector<ForecastPoint> look_ahead(const std::vector<ScalingRun>& runs, const CostModel& model,
                                      const Loads& loads, const ForecastOptions& options) {
  std::set<std::pair<Growth, std::string>> kinds;
  int most = 1;
  for (const ScalingRun& run : runs) {
    kinds.insert({run.growth, run.family});
    most = std::max(most, run.ranks);
  }
  std::vector<ForecastPoint> points;
  for (const auto& [growth, family] : kinds) {
    for (int ranks = 2 * most; ranks <= options.most_ranks; ranks *= 2) {
      const ScalingRun run{.growth = growth, .family = family, .ranks = ranks, .report = {}};
      points.push_back({growth, family, ranks, model.estimate(case_of(run, loads, options))});
    }
  }
  return points;
}

}  // namespace

double ScalingForecast::largest_error(bool held_out) const {
  double largest = 0.0;
  for (const ScalingCheck& check : checks) {
    if (check.held_out == held_out) largest = std::max(largest, std::abs(check.error));
  }
  return largest;
}

std::vector<int> held_out_ranks(const std::vector<int>& ranks) {
  std::vector<int> several;
  std::ranges::copy_if(ranks, std::back_inserter(several), [](int count) { return count > 1; });
  std::vector<int> out;
  for (std::size_t i = 1; i + 1 < several.size(); i += 2) out.push_back(several[i]);
  return out;
}

double traffic(const std::string& family, int ranks, std::int64_t two_hop_ranks) {
  if (family == "top_k" && ranks < two_hop_ranks) return ranks - 1.0;
  return 2.0 * (ranks - 1.0) / ranks;
}

ScalingForecast forecast(const std::vector<ScalingRun>& runs, const ForecastOptions& options) {
  const auto is_held_out = [&](const ScalingRun& run) {
    return std::ranges::find(options.held_out, run.ranks) != options.held_out.end();
  };
  std::vector<const ScalingRun*> seen;
  for (const ScalingRun& run : runs) {
    if (!is_held_out(run)) seen.push_back(&run);
  }
  const Loads loads = loads_of(seen, options);
  ScalingForecast result{.model = fit(seen, loads, options), .checks = {}, .points = {}};
  for (const ScalingRun& run : runs) {
    const auto estimate = result.model.estimate(case_of(run, loads, options));
    result.checks.push_back(
        {estimate, estimate.seconds / run.report.together.seconds - 1.0, is_held_out(run)});
  }
  result.points = look_ahead(runs, result.model, loads, options);
  return result;
}

std::vector<std::string> assumptions() {
  return {"every rank has a core and a link of its own, as fast as those measured",
          "the payload of a rank, its codec and the share of compute that hides communication stay "
          "as measured",
          "in each collective a rank sends every other two messages, as large sums do (small ones "
          "need fewer), each as dear as those measured",
          "switches carry all links at full speed, and nobody waits longer for slow ranks than in "
          "the measured runs"};
}

}  // namespace convoy::launch
