// SPDX-License-Identifier: Apache-2.0
#include "scheduler/summary.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

namespace convoy::scheduler {
namespace {

double share(double part, double rest) { return part > 0.0 ? part / (part + rest) : 0.0; }

double rate(std::int64_t count, double seconds) {
  return seconds > 0.0 ? static_cast<double>(count) / seconds : 0.0;
}

/// More clients than that are not listed for people; --json has them all.
constexpr std::size_t kListed = 20;

}  // namespace

double ClientSummary::idle_share() const { return share(idle_seconds, busy_seconds); }

double Summary::idle_share() const {
  double idle = 0.0;
  double busy = 0.0;
  for (const ClientSummary& client : clients) {
    idle += client.idle_seconds;
    busy += client.busy_seconds;
  }
  return share(idle, busy);
}

double Summary::local_steps_per_second() const { return rate(local_steps, seconds); }
double Summary::updates_per_second() const { return rate(counts.received, seconds); }

std::string to_json(const Summary& summary) {
  nlohmann::ordered_json clients = nlohmann::ordered_json::array();
  for (const ClientSummary& client : summary.clients) {
    clients.push_back({{"client", client.client},
                       {"updates", client.updates},
                       {"local_steps", client.local_steps},
                       {"busy_seconds", client.busy_seconds},
                       {"idle_seconds", client.idle_seconds},
                       {"away_seconds", client.away_seconds},
                       {"idle_share", client.idle_share()}});
  }
  const nlohmann::ordered_json json{{"kind", "summary"},
                                    {"seconds", summary.seconds},
                                    {"versions", summary.versions},
                                    {"aggregations", summary.aggregations},
                                    {"received", summary.counts.received},
                                    {"aggregated", summary.counts.aggregated},
                                    {"refused", summary.counts.refused},
                                    {"pending", summary.pending},
                                    {"late", summary.counts.late},
                                    {"evicted", summary.counts.evicted},
                                    {"mean_staleness", summary.mean_staleness},
                                    {"max_staleness", summary.max_staleness},
                                    {"local_steps", summary.local_steps},
                                    {"local_steps_per_second", summary.local_steps_per_second()},
                                    {"updates_per_second", summary.updates_per_second()},
                                    {"idle_share", summary.idle_share()},
                                    {"predictions", summary.predictions},
                                    {"mean_arrival_error_seconds", summary.mean_error_seconds},
                                    {"mean_arrival_error_share", summary.mean_error_share},
                                    {"mean_arrival_bias_seconds", summary.mean_bias_seconds},
                                    {"clients", std::move(clients)}};
  return json.dump();
}

std::string to_text(const Summary& summary) {
  const Counts& counts = summary.counts;
  std::string text = fmt::format(
      "{:.6g} s, {} versions, {} local steps: {:.4g} steps/s, {:.4g} updates/s\n"
      "updates: {} received = {} aggregated + {} refused + {} pending; {} late\n"
      "staleness: mean {:.4g}, most {}; {} evicted; idle {:.2f} %\n",
      summary.seconds, summary.versions, summary.local_steps, summary.local_steps_per_second(),
      summary.updates_per_second(), counts.received, counts.aggregated, counts.refused,
      summary.pending, counts.late, summary.mean_staleness, summary.max_staleness, counts.evicted,
      100.0 * summary.idle_share());
  if (summary.predictions > 0) {
    text += fmt::format("arrivals differ from predictions by {:.2f} % of a round ({:.4g} s)\n",
                        100.0 * summary.mean_error_share, summary.mean_error_seconds);
  }
  text += fmt::format("{:>10} {:>8} {:>10} {:>12} {:>12} {:>7}\n", "client", "updates", "steps",
                      "busy s", "idle s", "idle %");
  for (std::size_t i = 0; i < std::min(kListed, summary.clients.size()); ++i) {
    const ClientSummary& client = summary.clients[i];
    text += fmt::format("{:>10} {:>8} {:>10} {:>12.6g} {:>12.6g} {:>7.2f}\n", client.client,
                        client.updates, client.local_steps, client.busy_seconds,
                        client.idle_seconds, 100.0 * client.idle_share());
  }
  if (summary.clients.size() > kListed) {
    text += fmt::format("... and {} clients more\n", summary.clients.size() - kListed);
  }
  return text;
}

}  // namespace convoy::scheduler
