// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/federation_config.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "base/errors.h"

namespace convoy::trainer {
namespace {

constexpr std::int64_t kMostClients = 100'000;

void check_policy(const scheduler::PolicyConfig& policy) {
  try {
    scheduler::check(policy);
  } catch (const ConfigError& error) {
    throw ConfigError(std::string("[federation] ") + error.what());
  }
}

void check_speeds(const FederationConfig& config) {
  const auto& list = config.speed_list;
  require_config(config.speeds == "homogeneous" || config.speeds == "normal" ||
                     config.speeds == "exponential" || config.speeds == "list",
                 fmt::format("federation.speeds: \"{}\" is none of: homogeneous, normal, "
                             "exponential, or a list of seconds per step",
                             config.speeds));
  require_config(config.speeds != "list" || std::ssize(list) == config.clients,
                 fmt::format("federation.speeds lists {} clients, federation.clients is {}",
                             list.size(), config.clients));
  require_config(config.speed_unit == "seconds" || config.speed_unit == "measured",
                 fmt::format("federation.speed_unit: \"{}\" is none of: seconds, measured",
                             config.speed_unit));
  require_config(config.mean_step_factor > 0.0 && std::isfinite(config.mean_step_factor),
                 "federation.mean_step_factor must be above 0");
  require_config(
      std::all_of(list.begin(), list.end(), [](double s) { return s > 0.0 && std::isfinite(s); }) &&
          config.mean_step_seconds > 0.0 && std::isfinite(config.mean_step_seconds),
      "federation.speeds and mean_step_seconds: seconds per step must be above 0");
}

}  // namespace

void check_config(const FederationConfig& config) {
  check_policy(config.policy);
  check_config(config.server_optimizer);
  const auto algorithm = config.policy.algorithm;
  require_config(config.server_optimizer.name == "none" ||
                     algorithm == scheduler::Algorithm::kFedAvg ||
                     algorithm == scheduler::Algorithm::kFedBuff,
                 fmt::format("federation.server_optimizer.name = \"{}\" goes with fedavg and "
                             "fedbuff, not with {}",
                             config.server_optimizer.name, scheduler::to_text(algorithm)));
  require_config(config.clients >= 1 && config.clients <= kMostClients,
                 fmt::format("federation.clients must be in 1..{}", kMostClients));
  require_config(config.rounds > 0 || config.updates > 0 || config.seconds > 0.0,
                 "[federation] needs rounds, updates or seconds");
  require_config(
      config.clock == "virtual" || config.clock == "throttled" || config.clock == "live",
      fmt::format("federation.clock: \"{}\" is none of: virtual, throttled, live", config.clock));
  require_config(config.liveness_timeout >= 0.0 && std::isfinite(config.liveness_timeout),
                 "federation.liveness_timeout must be at least 0 and finite");
  require_config(config.proximal >= 0.0 && config.proximal <= kMostProximal,
                 fmt::format("federation.proximal must be in [0, {}], what a gradient can hold, "
                             "not {}",
                             kMostProximal, config.proximal));
  check_speeds(config);
}

}  // namespace convoy::trainer
