// SPDX-License-Identifier: Apache-2.0
#include "compress/plan_request.h"

#include "compress/plan/normalized_errors.h"
#include "compress/plan/useful_levels.h"

namespace convoy::compress {

void PlanRequest::prepare(LayerTable& layer, std::span<const float> values) const {
  double squared_norm = 0.0;
  for (const double value : values) squared_norm += value * value;
  drop_useless_levels(layer, squared_norm, budget.reference);
  if (normalize) normalize_errors(layer, squared_norm);
}

PlanRequest plan_request(const CompressionConfig& config) {
  PlanRequest request;
  for (const double value : candidate_levels(config)) request.candidates.emplace_back(value);
  request.minimise_time = config.objective == "time";
  if (request.minimise_time) request.candidates.push_back(Level::half());
  request.candidates.push_back(Level::dense());
  request.budget = {
      .reference = Level(reference_level(config)),
      .alpha = config.alpha,
      .metric = config.error_metric == "l2" ? ErrorMetric::kL2 : ErrorMetric::kSquaredL2};
  request.normalize = config.error_metric == "normalized";
  return request;
}

}  // namespace convoy::compress
