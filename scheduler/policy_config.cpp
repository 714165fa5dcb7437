// SPDX-License-Identifier: Apache-2.0
#include "scheduler/policy_config.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>

#include "base/errors.h"

namespace convoy::scheduler {
namespace {

/// Steps are counted in doubles while they are compared.
constexpr std::int64_t kMostSteps = 1'000'000'000;

void check_steps(const PolicyConfig& config) {
  require_config(1 <= config.min_local_steps && config.min_local_steps <= config.max_local_steps &&
                     config.max_local_steps <= kMostSteps,
                 fmt::format("needs 1 <= min_local_steps <= max_local_steps <= {}, not {} and {}",
                             kMostSteps, config.min_local_steps, config.max_local_steps));
  const std::int64_t initial = config.initial_steps();
  require_config(1 <= initial && initial <= kMostSteps,
                 fmt::format("initial_local_steps must be in 1..{}, not {}", kMostSteps, initial));
}

void check_time(const char* key, double seconds) {
  require_config(seconds > 0.0, fmt::format("{} must be positive, not {}", key, seconds));
}

void check_rate(const char* key, double rate) {
  require_config(std::isfinite(rate) && rate > 0.0,
                 fmt::format("{} must be positive and finite, not {}", key, rate));
}

}  // namespace

std::string_view to_text(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kFedCompass:
      return "fedcompass";
    case Algorithm::kFedAvg:
      return "fedavg";
    case Algorithm::kFedAsync:
      return "fedasync";
    case Algorithm::kFedBuff:
      return "fedbuff";
  }
  throw ContractError("unknown algorithm");
}

void check(const PolicyConfig& config) {
  check_steps(config);
  require_config(config.speed_momentum >= 0.0 && config.speed_momentum <= 1.0,
                 fmt::format("speed_momentum must be in 0..1, not {}", config.speed_momentum));
  require_config(
      config.latest_time_factor >= 1.0 && std::isfinite(config.latest_time_factor),
      fmt::format("latest_time_factor must be at least 1, not {}", config.latest_time_factor));
  check_time("evict_after", config.evict_after);
  check_time("first_round_timeout", config.first_round_timeout.value_or(config.evict_after));
  check_time("late_flush_after", config.late_flush_after);
  check_time("deadline", config.deadline);
  check_rate("alpha", config.alpha_or_default());
  check_rate("server_rate", config.server_rate);
  require_config(config.staleness.a >= 0.0 && std::isfinite(config.staleness.a),
                 fmt::format("staleness.a must not be negative, but is {}", config.staleness.a));
  require_config(config.staleness.b >= 0.0 && std::isfinite(config.staleness.b),
                 fmt::format("staleness.b must not be negative, but is {}", config.staleness.b));
  require_config(config.min_updates >= 1,
                 fmt::format("min_updates must be at least 1, not {}", config.min_updates));
  require_config(config.buffer_size >= 1,
                 fmt::format("buffer_size must be at least 1, not {}", config.buffer_size));
}

}  // namespace convoy::scheduler
