// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/federated_summary.h"

#include <nlohmann/json.hpp>

namespace convoy::trainer {

std::string to_json(const FederatedSummary& summary) {
  auto json = nlohmann::ordered_json::parse(to_json(summary.run));
  json.erase("compression_ratio");  // of averaged gradients; here bytes_up and bytes_down tell
  json["clock"] = summary.clock;
  json["federation_seconds"] = summary.federation_seconds;
  json["versions"] = summary.versions;
  json["updates"] = summary.updates;
  json["heterogeneity"] = summary.heterogeneity;
  json["bytes_down"] = summary.bytes_down;
  json["bytes_up"] = summary.bytes_up;
  json["client_bytes"] = nlohmann::ordered_json::array();
  for (const auto& [client, bytes] : summary.client_bytes) {
    json["client_bytes"].push_back({{"client", client}, {"down", bytes.down}, {"up", bytes.up}});
  }
  const ServerMemory& memory = summary.server_memory;
  json["server_memory_bytes"] = memory.total();
  json["server_memory"] = {
      {"model", memory.model}, {"versions", memory.versions}, {"updates", memory.updates}};
  json["answer_seconds"] = nullptr;
  if (summary.answers) {
    json["answer_seconds"] = {{"count", summary.answers->count},
                              {"median", summary.answers->median},
                              {"p99", summary.answers->p99},
                              {"maximum", summary.answers->maximum}};
  }
  if (summary.privacy) json["privacy"] = nlohmann::ordered_json::parse(to_json(*summary.privacy));
  json["at_end"] = {{"received", summary.counts.received},
                    {"aggregated", summary.counts.aggregated},
                    {"refused", summary.counts.refused},
                    {"pending", summary.pending}};
  json["schedule"] = nlohmann::ordered_json::parse(scheduler::to_json(summary.schedule));
  return json.dump(2);
}

}  // namespace convoy::trainer
