// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compress/level.h"

namespace convoy::compress {

/// One layer of a plan.
struct PlannedLayer {
  std::string name;
  std::int64_t numel = 0;
  Level level;
  double wire_bytes = 0.0;     ///< sent by one rank in one step
  double payload_bytes = 0.0;  ///< encoded once
  double error = 0.0;  ///< of the window's mean gradient, squared L2 or normalized; 0: unknown
};

/// One plan as it took effect: a line of plans.jsonl.
struct PlanRecord {
  std::int64_t version = 0;
  std::int64_t step = 0;  ///< first step that uses it
  /// "uniform", "lgreco" or "replay"; "dense": the guard of objective "time" sends all layers
  /// dense.
  std::string policy;
  std::string hash;  ///< of names and levels; equal on all ranks
  std::vector<PlannedLayer> layers;
  double bytes = 0.0;        ///< wire bytes of all compressed layers
  double dense_bytes = 0.0;  ///< wire bytes of the same layers uncompressed
  // The rest only where the plan was made from a level table.
  double error = 0.0;          ///< of the table, in the planner's metric
  double max_error = 0.0;      ///< the budget
  double uniform_bytes = 0.0;  ///< of every layer at the reference level
  double optimum_bytes = 0.0;  ///< the exact optimum of the same table, or its lower bound
  bool optimum_is_exact = false;
  /// What the step before lost under error feedback: squared L2, the mean over the ranks.
  double step_error = 0.0;
  // Objective "time": from the beginning of backward until all gradients are averaged.
  double predicted_ms = 0.0;        ///< with this plan
  double dense_predicted_ms = 0.0;  ///< with nothing compressed
  double gather_ms = 0.0;           ///< averaging the windows
  double table_ms = 0.0;            ///< making and exchanging the tables
  double solve_ms = 0.0;
};

/// Hash over names and levels, in their order, as text: that of plan.h and of `convoy plan`.
[[nodiscard]] std::string plan_hash(const std::vector<PlannedLayer>& layers);

}  // namespace convoy::compress
