// SPDX-License-Identifier: Apache-2.0
#include "compress/compression_config.h"

#include <fnmatch.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/errors.h"

namespace convoy::compress {
namespace {

bool is_whole(double value) { return value == std::floor(value); }

void check_level(const std::string& family, const char* key, double level) {
  const auto refuse = [&](const char* levels) {
    throw ConfigError(fmt::format("compression.{} = {}: {} has {}", key, level, family, levels));
  };
  if (!std::isfinite(level)) refuse("finite levels");
  if (family == "quantize" && !(is_whole(level) && level >= 1 && level <= 8)) refuse("1 to 8 bits");
  if (family == "top_k" && !(level > 0 && level <= 1)) refuse("densities above 0, up to 1");
  if (family == "power_sgd" && !(is_whole(level) && level >= 1 && level <= 4096)) {
    refuse("ranks of 1 to 4096");
  }
  if (family == "half" && level != 16) refuse("16 bits only");
}

void check_choice(const char* key, const std::string& value,
                  std::initializer_list<const char*> allowed) {
  if (std::ranges::find(allowed, value) != allowed.end()) return;
  std::string list;
  for (const char* name : allowed) list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", name);
  throw ConfigError(fmt::format("compression.{} = \"{}\": must be one of {}", key, value, list));
}

void check_at_least(const char* key, std::int64_t value, std::int64_t least) {
  require_config(value >= least,
                 fmt::format("compression.{} = {}: must be at least {}", key, value, least));
}

void check_plan_times(const CompressionConfig& config) {
  check_at_least("warmup_steps", config.warmup_steps, 0);
  check_at_least("shadow_steps", config.shadow_steps, 0);
  check_at_least("window", config.window, 1);
  check_at_least("plan_lag", config.plan_lag, 0);
  check_at_least("adapt_every", config.adapt_every, 1);
  check_at_least("guard_every", config.guard_every, 0);
  require_config(config.window <= config.adapt_every,
                 fmt::format("compression.window = {}: must not be above adapt_every = {}",
                             config.window, config.adapt_every));
  require_config(config.plan_lag <= config.adapt_every,
                 fmt::format("compression.plan_lag = {}: must not be above adapt_every = {}",
                             config.plan_lag, config.adapt_every));
}

}  // namespace

double reference_level(const CompressionConfig& config) {
  if (config.level != 0.0) return config.level;
  if (config.family == "top_k") return 0.05;
  return config.family == "half" ? 16.0 : 4.0;
}

std::vector<double> candidate_levels(const CompressionConfig& config) {
  std::vector<double> levels = config.candidates;
  if (levels.empty() && config.family == "top_k") {
    // Ten a decade, rounded (Renard numbers).
    levels = {0.001,  0.00125, 0.0016, 0.002, 0.0025, 0.00315, 0.004, 0.005, 0.0063, 0.008, 0.01,
              0.0125, 0.016,   0.02,   0.025, 0.0315, 0.04,    0.05,  0.063, 0.08,   0.1};
  } else if (levels.empty()) {
    levels.resize(config.family == "power_sgd" ? 16 : 8);
    std::iota(levels.begin(), levels.end(), 1.0);
  }
  levels.push_back(reference_level(config));
  std::ranges::sort(levels);
  levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
  return levels;
}

bool compresses(const CompressionConfig& config, const std::string& layer,
                const std::vector<std::int64_t>& shape, std::int64_t numel) {
  const bool excluded = std::ranges::any_of(config.exclude, [&](const std::string& glob) {
    return fnmatch(glob.c_str(), layer.c_str(), 0) == 0;
  });
  return shape.size() >= 2 && numel >= config.min_numel && !excluded;
}

bool plans_levels(const CompressionConfig& config) {
  return config.policy == "lgreco" && config.family != "none" && config.family != "half";
}

void check(const CompressionConfig& config) {
  check_choice("family", config.family, {"none", "half", "quantize", "top_k", "power_sgd"});
  check_choice("policy", config.policy, {"uniform", "lgreco"});
  check_choice("objective", config.objective, {"bytes", "time"});
  check_choice("error_metric", config.error_metric, {"auto", "squared_l2", "l2", "normalized"});
  check_choice("residual", config.residual, {"float32", "bfloat16", "off"});
  check_choice("rounding", config.rounding, {"nearest", "stochastic"});
  check_choice("values", config.values, {"float32", "float16"});
  check_choice("half_type", config.half_type, {"float16", "bfloat16"});
  check_plan_times(config);
  check_at_least("min_numel", config.min_numel, 0);
  check_at_least("two_hop_ranks", config.two_hop_ranks, 2);
  require_config(config.group >= 64 && config.group <= (1 << 20) && config.group % 64 == 0,
                 fmt::format("compression.group = {}: must be a multiple of 64, up to {}",
                             config.group, 1 << 20));
  require_config(std::isfinite(config.alpha) && config.alpha > 0,
                 fmt::format("compression.alpha = {}: must be positive", config.alpha));
  if (config.family == "none") return;
  check_level(config.family, "level", reference_level(config));
  for (const double level : config.candidates) check_level(config.family, "candidates", level);
}

}  // namespace convoy::compress
