// SPDX-License-Identifier: Apache-2.0
#include "launch/commands/status_report.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace convoy::launch {
namespace {

using Json = nlohmann::ordered_json;
using net::Activity;
using net::Parting;
using net::RunPhase;
using net::SiteStatus;

const char* name_of(RunPhase phase) {
  switch (phase) {
    case RunPhase::kWaiting:
      return "waiting";
    case RunPhase::kRunning:
      return "running";
    case RunPhase::kPaused:
      return "paused";
    case RunPhase::kFinishing:
      return "finishing";
    case RunPhase::kFinished:
      return "finished";
  }
  return "";
}

const char* name_of(Activity activity) {
  switch (activity) {
    case Activity::kIdle:
      return "idle";
    case Activity::kReceiving:
      return "receiving";
    case Activity::kTraining:
      return "training";
    case Activity::kSending:
      return "sending";
  }
  return "";
}

/// What people see of a site.
const char* state_of(const SiteStatus& site) {
  switch (site.parting) {
    case Parting::kLeft:
      return "left";
    case Parting::kRemoved:
      return "removed";
    case Parting::kNone:
      break;
  }
  return site.connected ? name_of(site.activity) : "away";
}

/// "45 B", "1.2 MB".
std::string bytes_text(std::int64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"kB", "MB", "GB", "TB", "PB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1000.0;
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000.0;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits.at(unit));
}

using Row = std::vector<std::string>;

Row row_of(const SiteStatus& site) {
  return {site.name,
          state_of(site),
          site.seconds_per_step ? fmt::format("{:.4g}", *site.seconds_per_step) : "-",
          site.group ? std::to_string(*site.group) : "-",
          std::to_string(site.round),
          std::to_string(site.steps),
          std::to_string(site.version),
          bytes_text(site.bytes_up),
          bytes_text(site.bytes_down),
          fmt::format("{:.1f} s ago", site.silent_seconds)};
}

/// The first two columns to the left, numbers to the right.
std::string table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += i == 0 ? "" : "  ";
      line += i < 2 ? fmt::format("{:<{}}", row[i], widths[i])
                    : fmt::format("{:>{}}", row[i], widths[i]);
    }
    text += line + "\n";
  }
  return text;
}

template <typename T>
Json optional_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const SiteStatus& site) {
  return {{"name", site.name},
          {"connected", site.connected},
          {"state", state_of(site)},
          {"activity", name_of(site.activity)},
          {"seconds_per_step", optional_json(site.seconds_per_step)},
          {"group", optional_json(site.group)},
          {"round", site.round},
          {"steps", site.steps},
          {"version", site.version},
          {"bytes_up", site.bytes_up},
          {"bytes_down", site.bytes_down},
          {"silent_seconds", site.silent_seconds}};
}

}  // namespace

std::string status_text(const net::Status& status, const std::string& server) {
  const auto connected = std::ranges::count_if(status.sites, &SiteStatus::connected);
  const std::string awaited =
      status.awaited_sites > 0 ? fmt::format("; the run begins with {}", status.awaited_sites) : "";
  std::string text = fmt::format(
      "run {} at {}: {}, version {}, {:.1f} s\nupdates: {} received, {} of them waiting\n"
      "sites: {}, {} of them connected{}\n",
      status.run, server, name_of(status.phase), status.version, status.seconds, status.updates,
      status.pending, status.total_sites, connected, awaited);
  if (status.sites.empty()) return text;
  std::vector<Row> rows = {
      {"site", "state", "s/step", "group", "round", "steps", "version", "up", "down", "heard"}};
  for (const auto& site : status.sites) rows.push_back(row_of(site));
  return text + "\n" + table(rows);
}

std::string status_json(const net::Status& status, const std::string& server) {
  Json sites = Json::array();
  for (const auto& site : status.sites) sites.push_back(to_json(site));
  const Json document{{"run", status.run},
                      {"server", server},
                      {"phase", name_of(status.phase)},
                      {"version", status.version},
                      {"seconds", status.seconds},
                      {"updates", status.updates},
                      {"pending", status.pending},
                      {"total_sites", status.total_sites},
                      {"awaited_sites", status.awaited_sites},
                      {"sites", std::move(sites)}};
  return document.dump() + "\n";
}

}  // namespace convoy::launch
