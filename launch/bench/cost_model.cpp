// SPDX-License-Identifier: Apache-2.0
#include "launch/bench/cost_model.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "launch/bench/least_squares.h"

namespace convoy::launch {
namespace {

constexpr int kGrid = 100;  // overlap and tail are tried at so many equal steps

/// Makes equations of runs, each over the seconds of its run: errors then count relative to them.
template <typename MakeEquation>
std::vector<double> fit(std::span<const CostRun> runs, MakeEquation make) {
  std::vector<Equation> equations;
  for (const CostRun& run : runs) {
    Equation equation = make(run);
    for (double& coefficient : equation.coefficients) coefficient /= run.seconds;
    equation.value /= run.seconds;
    equations.push_back(std::move(equation));
  }
  return nonnegative_least_squares(equations);
}

void fit_alone(CostModel& model, std::span<const CostRun> runs) {
  const auto found = fit(runs, [](const CostRun& run) {
    return Equation{{run.what.work, 1.0, run.what.crowding - 1.0}, run.alone};
  });
  model.work = found[0];
  model.fixed = found[1];
  model.crowded = found[2];
}

void fit_communication(CostModel& model, std::span<const CostRun> runs) {
  const auto wire = fit(runs, [](const CostRun& run) {
    const CostCase& what = run.what;
    return Equation{{what.collectives, what.messages * what.crowding, what.bytes}, run.wire};
  });
  model.round = wire[0];
  model.message = wire[1];
  model.byte = wire[2];
  const auto codec = fit(runs, [](const CostRun& run) {
    const CostCase& what = run.what;
    return Equation{{what.values, what.values * (what.crowding - 1.0)}, run.codec};
  });
  model.value = codec[0];
  model.crowded_value = codec[1];
}

double squared_error(const CostModel& model, std::span<const CostRun> runs) {
  double sum = 0.0;
  for (const CostRun& run : runs) {
    const double error = model.estimate(run.what).seconds / run.seconds - 1.0;
    sum += error * error;
  }
  return sum;
}

void fit_overlap(CostModel& model, std::span<const CostRun> runs) {
  double least = std::numeric_limits<double>::infinity();
  CostModel best = model;
  for (int overlap = 0; overlap <= kGrid; ++overlap) {
    for (int tail = 0; tail <= kGrid; ++tail) {
      CostModel tried = model;
      tried.overlap = static_cast<double>(overlap) / kGrid;
      tried.tail = static_cast<double>(tail) / kGrid;
      tried.contention = fit(runs, [&](const CostRun& run) {
                           const double rest = run.seconds - tried.estimate(run.what).seconds;
                           return Equation{{run.what.crowding - 1.0}, rest};
                         }).front();
      const double error = squared_error(tried, runs);
      if (error >= least) continue;
      least = error;
      best = tried;
    }
  }
  model = best;
}

}  // namespace

CostEstimate CostModel::estimate(const CostCase& what) const {
  const double more = what.crowding - 1.0;
  CostEstimate cost;
  cost.alone = work * what.work + fixed + crowded * more;
  cost.communication = round * what.collectives + message * what.messages * what.crowding +
                       byte * what.bytes + (value + crowded_value * more) * what.values;
  cost.exposed =
      std::max(cost.communication - overlap * work * what.work, tail * cost.communication);
  cost.seconds = cost.alone + cost.exposed + contention * more;
  return cost;
}

CostModel fit_cost_model(std::span<const CostRun> runs) {
  require(!runs.empty(), "a cost model of no runs");
  for (const CostRun& run : runs) require(run.seconds > 0.0, "a run that takes no time");
  CostModel model;
  fit_alone(model, runs);
  fit_communication(model, runs);
  fit_overlap(model, runs);
  return model;
}

}  // namespace convoy::launch
