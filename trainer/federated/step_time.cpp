// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/step_time.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "trainer/stopwatch.h"

namespace convoy::trainer {
namespace {

constexpr std::int64_t kWarmUpSteps = 3;
constexpr double kSecondsOfOne = 0.2;  ///< measurement
constexpr std::int64_t kMostSteps = 200;
constexpr double kLeastSeconds = 1e-9;

}  // namespace

double measure_step_seconds(LocalTrainer& trainer, ClientData client) {
  const ModelState start = copy_state(trainer.model());
  const auto seconds_of = [&](std::int64_t steps) {
    Stopwatch watch;
    (void)trainer.run(client, start, steps);
    return watch.lap();
  };
  (void)seconds_of(kWarmUpSteps);
  const double once = std::max(seconds_of(1), kLeastSeconds);
  const auto more =
      std::clamp<std::int64_t>(static_cast<std::int64_t>(kSecondsOfOne / once), 1, kMostSteps);
  std::array<double, 5> found{};
  for (double& seconds : found) {
    const double with_one = seconds_of(1);
    const double with_more = seconds_of(1 + more);
    seconds = std::max((with_more - with_one) / static_cast<double>(more), kLeastSeconds);
  }
  std::sort(found.begin(), found.end());
  return found[found.size() / 2];
}

}  // namespace convoy::trainer
