// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/logged_facts.h"

#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/errors.h"

namespace convoy::trainer {
namespace {

using Json = nlohmann::json;

/// 2^40: sums of what many sites say must fit too.
constexpr double kMostCount = 1099511627776.0;

/// A metric that counts something; what is none counts as 0.
std::int64_t count_of(const Json& metrics, const char* name) {
  const double value = metrics.value(name, 0.0);
  return value >= 0.0 ? static_cast<std::int64_t>(std::min(value, kMostCount)) : 0;
}

std::optional<Evaluation> validation_of(const Json& metrics) {
  const std::int64_t samples = count_of(metrics, "validation_samples");
  if (samples == 0) return std::nullopt;
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  return Evaluation{metrics.value("validation_loss", kNone),
                    metrics.value("validation_accuracy", kNone), samples};
}

void reading(const std::function<void()>& read) {
  try {
    read();
  } catch (const Json::exception& error) {
    throw ConfigError(std::string("the facts of an update: ") + error.what());
  }
}

}  // namespace

std::string logged_facts(const net::UploadBegin& update, const std::string& wrong) {
  Json metrics = Json::object();
  for (const auto& [name, value] : update.metrics) metrics[name] = value;
  Json json{{"position", update.position},
            {"training_seconds", update.training_seconds},
            {"metrics", std::move(metrics)}};
  if (update.epsilon) json["epsilon"] = *update.epsilon;
  if (!wrong.empty()) json["wrong"] = wrong;
  return json.dump();
}

void put_facts(const std::string& facts, ClientReport& report) {
  reading([&] {
    const Json json = Json::parse(facts);
    const Json& metrics = json.at("metrics");
    report.position = json.at("position");
    report.training_seconds = json.at("training_seconds");
    LocalResult& result = report.result;
    result.loss = metrics.value("loss", std::numeric_limits<double>::quiet_NaN());
    result.samples = count_of(metrics, "trained");
    result.validation = validation_of(metrics);
    if (!json.contains("epsilon")) return;
    result.privacy = PrivacyReport{.epsilon = json.at("epsilon"),
                                   .steps = count_of(metrics, "privacy_steps"),
                                   .leaves = count_of(metrics, "leaves") > 0};
  });
}

std::string what_is_wrong(const std::string& facts) {
  std::string wrong;
  reading([&] { wrong = Json::parse(facts).value("wrong", ""); });
  return wrong;
}

}  // namespace convoy::trainer
