// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/emulation.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace convoy::trainer {
namespace {

constexpr std::uint64_t kSpeedStream = 0x737065656473;  // "speeds"
constexpr double kNormalDeviation = 0.3;                ///< of the mean
constexpr double kFastest = 0.1;                        ///< of the mean

double draw_factor(const std::string& speeds, Random& random) {
  if (speeds == "normal") return std::max(kFastest, 1.0 + kNormalDeviation * random.normal());
  if (speeds == "exponential") return std::max(kFastest, -std::log(1.0 - random.uniform()));
  return 1.0;
}

}  // namespace

scheduler::Scenario make_scenario(const FederationConfig& config, const std::string& name,
                                  const std::vector<std::int64_t>& samples, std::uint64_t seed,
                                  double measured_step_seconds) {
  const bool measured = config.speed_unit == "measured";
  const double unit = measured ? measured_step_seconds : 1.0;
  const double mean = measured ? config.mean_step_factor : config.mean_step_seconds;
  scheduler::Scenario scenario;
  scenario.name = name;
  scenario.policy = config.policy;
  scenario.seed = seed;
  if (config.updates > 0) scenario.arrivals = config.updates;
  if (config.seconds > 0.0) scenario.seconds = config.seconds;
  Random random({seed, kSpeedStream});
  for (std::size_t i = 0; i < samples.size(); ++i) {
    scheduler::SimulatedClient client;
    client.id = static_cast<scheduler::ClientId>(i);
    client.samples = samples[i];
    client.seconds_per_step = {unit * (config.speeds == "list"
                                           ? config.speed_list[i]
                                           : mean * draw_factor(config.speeds, random))};
    client.overhead_seconds = {config.overhead_seconds};
    client.noise = config.speed_noise;
    scenario.clients.push_back(std::move(client));
  }
  return scenario;
}

}  // namespace convoy::trainer
