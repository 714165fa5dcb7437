// SPDX-License-Identifier: Apache-2.0
#include "trainer/privacy/privacy_config.h"

#include <spdlog/fmt/fmt.h>

#include "base/errors.h"

namespace convoy::trainer {

void check_config(const PrivacyConfig& config) {
  if (!config.is_on()) return;
  require_config(config.mode == "per_sample" || config.mode == "per_update",
                 "privacy.mode must be \"none\", \"per_sample\" or \"per_update\"");
  require_config(config.clip > 0.0, "privacy.clip must be above 0");
  require_config(config.sigma > 0.0, "privacy.sigma must be above 0");
  require_config(!config.is_per_sample() || (config.rate > 0.0 && config.rate <= 1.0),
                 "privacy.rate must be in (0, 1]: the chance of a sample to be in a step");
  require_config(config.is_per_sample() || config.rate == 0.0 || config.rate == 1.0,
                 "privacy.rate is 1 with privacy.mode = \"per_update\": leave it out");
  require_config(config.delta > 0.0 && config.delta < 1.0, "privacy.delta must be in (0, 1)");
  require_config(config.epsilon > 0.0, "privacy.epsilon, the budget of a site, must be above 0");
  const double step =
      privacy::epsilon_of(privacy::rdp_of(config.mechanism()), config.delta).epsilon;
  require_config(step <= config.epsilon,
                 fmt::format("privacy.epsilon = {} allows no step: the first one costs {:.6f} at "
                             "privacy.sigma = {}",
                             config.epsilon, step, config.sigma));
}

}  // namespace convoy::trainer
