// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "compress/compression_config.h"
#include "compress/plan/plan.h"

namespace convoy::compress {

/// What a [compression] section asks of the planner, for gradients and for updates alike.
struct PlanRequest {
  std::vector<Level> candidates;  ///< ascending; dense is the last
  Budget budget;
  bool normalize = false;  ///< errors by each layer's mean square
  bool minimise_time = false;  ///< half is a candidate then, too

  /// Makes the table of one layer ready to be planned from: without useless levels, and with errors
  /// normalized where that is wanted.
  /// @param values  what the table is of.
  void prepare(LayerTable& layer, std::span<const float> values) const;
};

/// @param config  checked.
[[nodiscard]] PlanRequest plan_request(const CompressionConfig& config);

}  // namespace convoy::compress
