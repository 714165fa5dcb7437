// SPDX-License-Identifier: Apache-2.0
#include "scheduler/internal/asynchronous.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "scheduler/internal/state_json.h"

namespace convoy::scheduler::internal {

void Asynchronous::do_update(Client& client, Arrival /*arrival*/, const Pending& update) {
  buffer_.push_back(update);
  const std::int64_t wanted = is_fedasync() ? 1 : config().buffer_size;
  if (static_cast<std::int64_t>(buffer_.size()) >= wanted) {
    aggregate(Trigger::kComplete, std::nullopt, {}, std::exchange(buffer_, {}));
  }
  assign(client);
}

void Asynchronous::do_flush(Flush& flush, std::vector<Pending>& members) {
  members = std::exchange(buffer_, {});
  for (const Pending& update : members) flush.waiting.push_back(update.client);
}

double Asynchronous::do_weight(const Pending& /*update*/, std::int64_t staleness,
                               std::int64_t /*sum_samples*/) {
  return weight_of(staleness);
}

/// The version stays until the buffer is full, and with it the staleness of what is in it.
std::optional<double> Asynchronous::do_weight_on_arrival(const Client& client) const {
  if (is_fedasync()) return std::nullopt;
  return weight_of(version() - client.version);
}

double Asynchronous::weight_of(std::int64_t staleness) const {
  const double weight = staleness_weight(config().staleness, staleness);
  // A last sum of fewer updates divides by K too: each counts for what it would have counted.
  return is_fedasync() ? fedasync_weight(config().alpha_or_default(), weight)
                       : fedbuff_weight(config().server_rate, weight, config().buffer_size);
}

void Asynchronous::do_save(Json& json) const { json["buffer"] = to_json(buffer_); }

void Asynchronous::do_load(const Json& json) { buffer_ = pending_from_json(json.at("buffer")); }

}  // namespace convoy::scheduler::internal
