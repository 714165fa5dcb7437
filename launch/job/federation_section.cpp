// SPDX-License-Identifier: Apache-2.0
#include "launch/job/federation_section.h"

#include <cmath>
#include <optional>

namespace convoy::launch {
namespace {

using scheduler::Algorithm;
using scheduler::PolicyConfig;
using scheduler::SpeedModel;
using scheduler::Staleness;
using scheduler::WeightBy;

constexpr NumberRange kFactor{.low = 1.0};
constexpr NumberRange kShareOrOne{.low = 0.0, .high = 1.0};
constexpr NumberRange kProximal{.low = 0.0, .high = trainer::kMostProximal};

template <typename T>
struct Named {
  const char* name;
  T value;
};

/// A value that the job file calls by a name.
template <typename T>
void choice(FieldVisitor& v, std::string_view key, T& value, FieldVisitor::Choices names,
            std::initializer_list<Named<T>> all) {
  std::string text;
  for (const auto& [name, meant] : all) {
    if (meant == value) text = name;
  }
  v.text(key, text, names);
  for (const auto& [name, meant] : all) {
    if (text == name) value = meant;
  }
}

/// Seconds; 0 in the job file: never.
void time_or_never(FieldVisitor& v, std::string_view key, double& seconds) {
  double value = std::isfinite(seconds) ? seconds : 0.0;
  v.number(key, value, kNotNegative);
  seconds = value > 0.0 ? value : PolicyConfig::kNever;
}

/// A number; 0 in the job file: none.
void optional_number(FieldVisitor& v, std::string_view key, std::optional<double>& number) {
  double value = number.value_or(0.0);
  v.number(key, value, kNotNegative);
  number = value > 0.0 ? std::optional(value) : std::nullopt;
}

void describe_steps(FieldVisitor& v, PolicyConfig& policy) {
  v.integer("min_local_steps", policy.min_local_steps, kAtLeastOne);
  v.integer("max_local_steps", policy.max_local_steps, kAtLeastOne);
  std::int64_t initial = policy.initial_local_steps.value_or(0);
  v.integer("initial_local_steps", initial, kAtLeastZero);
  policy.initial_local_steps = initial > 0 ? std::optional(initial) : std::nullopt;
}

void describe_times(FieldVisitor& v, PolicyConfig& policy) {
  v.number("speed_momentum", policy.speed_momentum, kShareOrOne);
  choice(v, "speed_model", policy.speed_model, {"ratio", "affine"},
         {{"ratio", SpeedModel::kRatio}, {"affine", SpeedModel::kAffine}});
  v.number("latest_time_factor", policy.latest_time_factor, kFactor);
  time_or_never(v, "evict_after", policy.evict_after);
  optional_number(v, "first_round_timeout", policy.first_round_timeout);
  time_or_never(v, "late_flush_after", policy.late_flush_after);
  v.flag("late_flush_auto", policy.late_flush_auto);
  time_or_never(v, "deadline", policy.deadline);
  v.integer("min_updates", policy.min_updates, kAtLeastOne);
}

void describe_weights(FieldVisitor& v, PolicyConfig& policy) {
  optional_number(v, "alpha", policy.alpha);
  choice(v, "weights", policy.weights, {"samples", "equal"},
         {{"samples", WeightBy::kSamples}, {"equal", WeightBy::kEqual}});
  v.integer("buffer_size", policy.buffer_size, kAtLeastOne);
  v.number("server_rate", policy.server_rate, kPositive);
}

void describe_staleness(FieldVisitor& v, Staleness& staleness) {
  using Function = Staleness::Function;
  v.section("federation.staleness");
  choice(v, "name", staleness.function, {"constant", "polynomial", "hinge"},
         {{"constant", Function::kConstant},
          {"polynomial", Function::kPolynomial},
          {"hinge", Function::kHinge}});
  v.number("a", staleness.a, kNotNegative);
  v.number("b", staleness.b, kNotNegative);
}

void describe_server_optimizer(FieldVisitor& v, trainer::ServerOptimizerConfig& optimizer) {
  v.section("federation.server_optimizer");
  v.text("name", optimizer.name, {"none", "fedavgm", "fedadagrad", "fedadam", "fedyogi"});
  v.number("lr", optimizer.lr, kPositive);
  v.number("momentum", optimizer.momentum, kShare);
  v.number("beta1", optimizer.beta1, kShare);
  v.number("beta2", optimizer.beta2, kShare);
  v.number("tau", optimizer.tau, kPositive);
}

}  // namespace

void describe_federation(FieldVisitor& v, trainer::FederationConfig& federation) {
  PolicyConfig& policy = federation.policy;
  v.section("federation");
  choice(v, "algorithm", policy.algorithm, {"fedcompass", "fedavg", "fedasync", "fedbuff"},
         {{"fedcompass", Algorithm::kFedCompass},
          {"fedavg", Algorithm::kFedAvg},
          {"fedasync", Algorithm::kFedAsync},
          {"fedbuff", Algorithm::kFedBuff}});
  v.integer("clients", federation.clients, kAtLeastOne);
  v.integer("rounds", federation.rounds, kAtLeastZero);
  v.integer("updates", federation.updates, kAtLeastZero);
  v.number("seconds", federation.seconds, kNotNegative);
  describe_steps(v, policy);
  describe_times(v, policy);
  describe_weights(v, policy);
  v.text("clock", federation.clock, {"virtual", "throttled", "live"});
  v.text_or_numbers("speeds", federation.speeds, federation.speed_list,
                    {"homogeneous", "normal", "exponential"}, kPositive);
  v.number("mean_step_seconds", federation.mean_step_seconds, kPositive);
  v.text("speed_unit", federation.speed_unit, {"seconds", "measured"});
  v.number("mean_step_factor", federation.mean_step_factor, kPositive);
  v.number("speed_noise", federation.speed_noise, kNotNegative);
  v.number("overhead_seconds", federation.overhead_seconds, kNotNegative);
  v.integer("downlink_versions", federation.downlink_versions, kAtLeastOne);
  v.number("liveness_timeout", federation.liveness_timeout, kNotNegative);
  v.number("proximal", federation.proximal, kProximal);
  v.number("validation", federation.validation, kShare);
  v.integer("evaluate_every", federation.evaluate_every, kAtLeastZero);
  v.integer("workers", federation.workers, kAtLeastZero);
  describe_staleness(v, policy.staleness);
  describe_server_optimizer(v, federation.server_optimizer);
}

}  // namespace convoy::launch
