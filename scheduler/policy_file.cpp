// SPDX-License-Identifier: Apache-2.0
#include "scheduler/policy_file.h"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <cmath>
#include <span>

#include "base/errors.h"
#include "base/json_object.h"
#include "scheduler/internal/policy_file.h"

namespace convoy::scheduler {
namespace {

using Json = JsonObject::Json;

template <typename T>
struct Named {
  std::string_view name;
  T value;
};

constexpr std::array kAlgorithms{
    Named{"fedcompass", Algorithm::kFedCompass}, Named{"fedavg", Algorithm::kFedAvg},
    Named{"fedasync", Algorithm::kFedAsync}, Named{"fedbuff", Algorithm::kFedBuff}};
constexpr std::array kSpeedModels{Named{"ratio", SpeedModel::kRatio},
                                  Named{"affine", SpeedModel::kAffine}};
constexpr std::array kWeights{Named{"samples", WeightBy::kSamples},
                              Named{"equal", WeightBy::kEqual}};
constexpr std::array kFunctions{Named{"constant", Staleness::Function::kConstant},
                                Named{"polynomial", Staleness::Function::kPolynomial},
                                Named{"hinge", Staleness::Function::kHinge}};

template <typename T, std::size_t N>
void read_name(const JsonObject& object, const char* key, const std::array<Named<T>, N>& names,
               T& value) {
  if (!object.has(key)) return;
  const std::string text = object.text(key);
  std::string known;
  for (const auto& [name, meant] : names) {
    if (name == text) {
      value = meant;
      return;
    }
    known += fmt::format("{}\"{}\"", known.empty() ? "" : ", ", name);
  }
  object.fail(fmt::format("{} must be one of {}, not \"{}\"", key, known, text));
}

template <typename T, std::size_t N>
std::string_view name_of(const std::array<Named<T>, N>& names, T value) {
  for (const auto& [name, meant] : names) {
    if (meant == value) return name;
  }
  throw ContractError("a value without a name");
}

void read_number(const JsonObject& object, const char* key, double& value) {
  if (object.has(key)) value = object.number(key);
}

void read_integer(const JsonObject& object, const char* key, std::int64_t& value) {
  if (object.has(key)) value = object.integer(key);
}

/// A time may be null: never.
void read_time(const JsonObject& object, const char* key, double& value) {
  if (object.has(key) && object.at(key).is_null()) {
    value = PolicyConfig::kNever;
  } else {
    read_number(object, key, value);
  }
}

void read_late_flush(const JsonObject& object, PolicyConfig& config) {
  constexpr const char* kKey = "late_flush_after";
  if (object.has(kKey) && object.at(kKey) == "auto") {
    config.late_flush_auto = true;
  } else {
    read_time(object, kKey, config.late_flush_after);
  }
}

void read_staleness(const JsonObject& object, Staleness& staleness) {
  if (!object.has("staleness")) return;
  const JsonObject inner(object.at("staleness"), object.where() + ".staleness",
                         {"function", "a", "b"});
  read_name(inner, "function", kFunctions, staleness.function);
  read_number(inner, "a", staleness.a);
  read_number(inner, "b", staleness.b);
}

Json time_or_null(double seconds) { return std::isfinite(seconds) ? Json(seconds) : Json(); }

}  // namespace

namespace internal {

PolicyConfig read_policy(const Json& json, const std::string& where) {
  const JsonObject object(json, where,
                          {"algorithm", "min_local_steps", "max_local_steps", "initial_local_steps",
                           "speed_momentum", "speed_model", "latest_time_factor", "evict_after",
                           "first_round_timeout", "late_flush_after", "alpha", "staleness",
                           "weights", "deadline", "min_updates", "buffer_size", "server_rate"});
  PolicyConfig config;
  read_name(object, "algorithm", kAlgorithms, config.algorithm);
  read_integer(object, "min_local_steps", config.min_local_steps);
  read_integer(object, "max_local_steps", config.max_local_steps);
  if (object.has("initial_local_steps")) {
    config.initial_local_steps = object.integer("initial_local_steps");
  }
  read_number(object, "speed_momentum", config.speed_momentum);
  read_name(object, "speed_model", kSpeedModels, config.speed_model);
  read_number(object, "latest_time_factor", config.latest_time_factor);
  read_time(object, "evict_after", config.evict_after);
  if (object.has("first_round_timeout")) {
    read_time(object, "first_round_timeout", config.first_round_timeout.emplace());
  }
  read_late_flush(object, config);
  if (object.has("alpha")) config.alpha = object.number("alpha");
  read_staleness(object, config.staleness);
  read_name(object, "weights", kWeights, config.weights);
  read_time(object, "deadline", config.deadline);
  read_integer(object, "min_updates", config.min_updates);
  read_integer(object, "buffer_size", config.buffer_size);
  read_number(object, "server_rate", config.server_rate);
  try {
    check(config);
  } catch (const ConfigError& error) {
    object.fail(error.what());
  }
  return config;
}

}  // namespace internal

PolicyConfig parse_policy(std::string_view text, const std::string& source) {
  return internal::read_policy(parse_json(text, source), source);
}

std::string to_json(const PolicyConfig& config) {
  const Staleness& staleness = config.staleness;
  nlohmann::ordered_json json{
      {"algorithm", name_of(kAlgorithms, config.algorithm)},
      {"min_local_steps", config.min_local_steps},
      {"max_local_steps", config.max_local_steps},
      {"initial_local_steps", config.initial_steps()},
      {"speed_momentum", config.speed_momentum},
      {"speed_model", name_of(kSpeedModels, config.speed_model)},
      {"latest_time_factor", config.latest_time_factor},
      {"evict_after", time_or_null(config.evict_after)},
      {"first_round_timeout",
       time_or_null(config.first_round_timeout.value_or(config.evict_after))},
      {"late_flush_after",
       config.late_flush_auto ? Json("auto") : time_or_null(config.late_flush_after)},
      {"alpha", config.alpha_or_default()},
      {"staleness",
       {{"function", name_of(kFunctions, staleness.function)},
        {"a", staleness.a},
        {"b", staleness.b}}},
      {"weights", name_of(kWeights, config.weights)},
      {"deadline", time_or_null(config.deadline)},
      {"min_updates", config.min_updates},
      {"buffer_size", config.buffer_size},
      {"server_rate", config.server_rate}};
  return json.dump();
}

}  // namespace convoy::scheduler
