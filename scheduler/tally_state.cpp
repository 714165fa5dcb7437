// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "scheduler/tally.h"

namespace convoy::scheduler {
namespace {

using Json = nlohmann::json;

Json to_json(const ClientSummary& sum) {
  return {sum.client,       sum.updates,      sum.local_steps,
          sum.busy_seconds, sum.idle_seconds, sum.away_seconds};
}

ClientSummary to_summary(const Json& json) {
  return {.client = json.at(0),
          .updates = json.at(1),
          .local_steps = json.at(2),
          .busy_seconds = json.at(3),
          .idle_seconds = json.at(4),
          .away_seconds = json.at(5)};
}

}  // namespace

std::string Tally::save() const {
  Json entries = Json::array();
  for (const Entry& entry : entries_) {
    entries.push_back({{"sum", to_json(entry.sum)},
                       {"mode", static_cast<int>(entry.mode)},
                       {"since", entry.since},
                       // JSON has no infinity, which a client that has vanished has here.
                       {"absent", std::isfinite(entry.absent) ? Json(entry.absent) : Json()},
                       {"predicted", entry.predicted ? Json(*entry.predicted) : Json()}});
  }
  return Json{{"entries", std::move(entries)},
              {"aggregations", sum_.aggregations},
              {"local_steps", sum_.local_steps},
              {"max_staleness", sum_.max_staleness},
              {"predictions", sum_.predictions},
              {"errors", {sum_.mean_error_seconds, sum_.mean_error_share, sum_.mean_bias_seconds}},
              {"staleness", staleness_},
              {"aggregated", aggregated_}}
      .dump();
}

void Tally::load(const std::string& state) {
  const Json json = Json::parse(state);
  *this = {};
  for (const Json& item : json.at("entries")) {
    Entry entry{.sum = to_summary(item.at("sum")),
                .mode = static_cast<Mode>(item.at("mode").get<int>()),
                .since = item.at("since")};
    const Json& absent = item.at("absent");
    entry.absent =
        absent.is_null() ? std::numeric_limits<double>::infinity() : absent.get<double>();
    if (!item.at("predicted").is_null()) entry.predicted = item.at("predicted").get<double>();
    index_.emplace(entry.sum.client, entries_.size());
    entries_.push_back(std::move(entry));
  }
  sum_.aggregations = json.at("aggregations");
  sum_.local_steps = json.at("local_steps");
  sum_.max_staleness = json.at("max_staleness");
  sum_.predictions = json.at("predictions");
  sum_.mean_error_seconds = json.at("errors").at(0);
  sum_.mean_error_share = json.at("errors").at(1);
  sum_.mean_bias_seconds = json.at("errors").at(2);
  staleness_ = json.at("staleness");
  aggregated_ = json.at("aggregated");
}

}  // namespace convoy::scheduler
