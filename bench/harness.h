// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "comm/communicator.h"

namespace convoy::bench {

/// Repeated timings of one thing, in seconds.
struct Timing {
  double median = 0.0;
  double spread = 0.0;  ///< median absolute deviation
  double min = 0.0;
  double p95 = 0.0;
};

[[nodiscard]] Timing summarize(std::vector<double> seconds);

/// The seconds that `work` takes the slowest rank, from a common start. Collective.
[[nodiscard]] double time_slowest(comm::Communicator& communicator,
                                  const std::function<void()>& work);

/// "key":{"median":...,"spread":...,"min":...,"p95":...} with seconds.
[[nodiscard]] std::string to_json(const std::string& key, const Timing& timing);

}  // namespace convoy::bench
