// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "scheduler/net/internal/wire.h"

namespace convoy::net::internal {
namespace {

constexpr int kMaxCapabilities = 32;
constexpr int kMaxMetrics = 64;
constexpr std::int64_t kMaxRanks = 1 << 20;
constexpr std::int64_t kMaxMilliseconds = std::int64_t{24} * 3600 * 1000;

template <typename Strings>
std::vector<std::string> names(const Strings& from, FieldCheck& check) {
  check.check(from.size() <= kMaxCapabilities, "capabilities", "are too many");
  std::vector<std::string> names;
  if (!check.ok()) return names;
  for (const auto& name : from) names.push_back(check.name("capabilities", name));
  return names;
}

std::vector<Metric> metrics(const wire::UploadBegin& from, FieldCheck& check) {
  check.check(from.metrics_size() <= kMaxMetrics, "metrics", "are too many");
  std::vector<Metric> metrics;
  if (!check.ok()) return metrics;
  for (const auto& metric : from.metrics()) {
    metrics.push_back(
        {.name = check.name("metrics.name", metric.name()),
         .value = check.number("metrics.value", metric.value(), -kLargestMetric, kLargestMetric)});
  }
  return metrics;
}

SiteStatus from_wire(const wire::SiteStatus& from, FieldCheck& check) {
  SiteStatus site{.name = check.name("sites.name", from.name()),
                  .activity = check.known("sites.activity", from.activity(), kLastActivity),
                  .connected = from.connected()};
  if (from.has_seconds_per_step()) {
    site.seconds_per_step = check.number("sites.seconds_per_step", from.seconds_per_step(), 0.0);
  }
  if (from.has_group()) site.group = check.count("sites.group", from.group());
  site.round = check.count("sites.round", from.round());
  site.steps = check.count("sites.steps", from.steps());
  site.version = check.count("sites.version", from.version());
  site.bytes_up = check.count("sites.bytes_up", from.bytes_up());
  site.bytes_down = check.count("sites.bytes_down", from.bytes_down());
  site.silent_seconds = check.number("sites.silent_seconds", from.silent_seconds(), 0.0);
  if (from.parting() != 0) {
    site.parting = check.known("sites.parting", from.parting(), kLastParting);
  }
  return site;
}

}  // namespace

Hello from_wire(const wire::Hello& from, FieldCheck& check) {
  Hello hello{.versions = {.lowest = from.lowest_version(), .highest = from.highest_version()},
              .party = check.known("party", from.party(), Party::kOperator),
              .name = check.name("name", from.name()),
              .instance = check.name("instance", from.instance()),
              .capabilities = names(from.capabilities(), check),
              .software = check.text("software", from.software())};
  check.check(from.lowest_version() >= 1 && from.lowest_version() <= from.highest_version(),
              "lowest_version", "is no version up to highest_version");
  check.check(hello.party != Party::kServer, "party", "cannot be the server");
  return hello;
}

Welcome from_wire(const wire::Welcome& from, FieldCheck& check) {
  check.check(from.version() >= 1, "version", "is too small");
  return {.version = from.version(),
          .server = check.name("server", from.server()),
          .run = check.name("run", from.run()),
          .capabilities = names(from.capabilities(), check),
          .heartbeat_ms = check.count("heartbeat_ms", from.heartbeat_ms(), 1, kMaxMilliseconds),
          .liveness_ms = check.count("liveness_ms", from.liveness_ms(), 1, kMaxMilliseconds),
          .software = check.text("software", from.software())};
}

Refusal from_wire(const wire::Refusal& from, FieldCheck& check) {
  return {.code = check.known("code", from.code(), kLastRefusalCode),
          .text = check.text("text", from.text())};
}

Goodbye from_wire(const wire::Goodbye& from, FieldCheck& check) {
  return {.text = check.text("text", from.text())};
}

Accepted from_wire(const wire::Accepted& from, FieldCheck& check) {
  return {.text = check.text("text", from.text())};
}

Join from_wire(const wire::Join& from, FieldCheck& check) {
  Join join{.samples = check.count("samples", from.samples(), 1, kMostCounted),
            .schema_hash = from.schema_hash(),
            .threads = check.count("threads", from.threads(), 1, kMaxRanks),
            .ranks = check.count("ranks", from.ranks(), 1, kMaxRanks)};
  if (from.has_held_version()) join.held_version = check.count("held_version", from.held_version());
  if (from.has_pending_update()) {
    join.pending_update = check.name("pending_update", from.pending_update());
  }
  if (from.has_open_round()) join.open_round = check.count("open_round", from.open_round());
  return join;
}

JobOffer from_wire(const wire::JobOffer& from, FieldCheck& check) {
  check.check(!from.job().empty(), "job", "is empty");
  check.check(from.job().size() <= kMaxJobBytes, "job", "is too long");
  check.check(is_utf8(from.job()), "job", "is not UTF-8");
  check.check(from.job().find('\0') == std::string::npos, "job", "has control characters");
  JobOffer offer{.job = from.job(),
                 .model_hash = from.model_hash(),
                 .client = check.count("client", from.client())};
  if (from.has_torchscript_sha256()) {
    offer.torchscript_sha256 = check.digest("torchscript_sha256", from.torchscript_sha256());
  }
  return offer;
}

Dispatch from_wire(const wire::Dispatch& from, FieldCheck& check) {
  Dispatch dispatch{.round = check.count("round", from.round()),
                    .version = check.count("version", from.version()),
                    .model_hash = from.model_hash(),
                    .steps = check.count("steps", from.steps(), 1, kMostCounted)};
  if (from.has_deadline_seconds()) {
    dispatch.deadline_seconds = check.number("deadline_seconds", from.deadline_seconds(), 0.0);
  }
  dispatch.seed = from.seed();
  dispatch.position = check.count("position", from.position(), 0, kMostCounted);
  dispatch.updates = check.count("updates", from.updates());
  dispatch.take_back = from.take_back();
  return dispatch;
}

Progress from_wire(const wire::Progress& from, FieldCheck& check) {
  Progress progress{.activity = check.known("activity", from.activity(), kLastActivity)};
  if (from.has_round()) progress.round = check.count("round", from.round());
  progress.steps_done = check.count("steps_done", from.steps_done(), 0, kMostCounted);
  return progress;
}

Leave from_wire(const wire::Leave& from, FieldCheck& check) {
  return {.reason = check.known("reason", from.reason(), kLastLeaveReason),
          .text = check.text("text", from.text())};
}

UploadBegin from_wire(const wire::UploadBegin& from, FieldCheck& check) {
  UploadBegin begin{.update_id = check.name("update_id", from.update_id()),
                    .sha256 = check.digest("sha256", from.sha256()),
                    .bytes = check.count("bytes", from.bytes()),
                    .round = check.count("round", from.round()),
                    .version = check.count("version", from.version()),
                    .steps = check.count("steps", from.steps(), 1, kMostCounted),
                    .samples = check.count("samples", from.samples(), 1, kMostCounted),
                    .position = check.count("position", from.position(), 0, kMostCounted),
                    .training_seconds = check.number("training_seconds", from.training_seconds(),
                                                     0.0, static_cast<double>(kMostCounted))};
  if (from.has_epsilon()) begin.epsilon = check.number("epsilon", from.epsilon(), 0.0);
  begin.finite = from.finite();
  begin.metrics = metrics(from, check);
  check.check((begin.bytes == 0) != begin.finite, "bytes", "must be 0 exactly where not finite");
  return begin;
}

UploadAck from_wire(const wire::UploadAck& from, FieldCheck& check) {
  return {.update_id = check.name("update_id", from.update_id()), .duplicate = from.duplicate()};
}

ModelBegin from_wire(const wire::ModelBegin& from, FieldCheck& check) {
  return {.kind = check.known("kind", from.kind(), kLastStreamKind),
          .version = check.count("version", from.version()),
          .model_hash = from.model_hash(),
          .sha256 = check.digest("sha256", from.sha256()),
          .bytes = check.count("bytes", from.bytes(), 1)};
}

StreamOffset from_wire(const wire::StreamOffset& from, FieldCheck& check) {
  check.check(from.stream() != 0, "stream", "is too small");
  return {.stream = from.stream(),
          .offset = check.count("offset", from.offset()),
          .limit = check.count("limit", from.limit(), from.offset())};
}

StreamEnd from_wire(const wire::StreamEnd& from, FieldCheck& check) {
  check.check(from.stream() != 0, "stream", "is too small");
  return {.stream = from.stream(), .sha256 = check.digest("sha256", from.sha256())};
}

StatusRequest from_wire(const wire::StatusRequest& from, FieldCheck& check) {
  return {.first = check.count("first", from.first())};
}

Status from_wire(const wire::Status& from, FieldCheck& check) {
  Status status{.run = check.name("run", from.run()),
                .phase = check.known("phase", from.phase(), kLastRunPhase),
                .version = check.count("version", from.version()),
                .seconds = check.number("seconds", from.seconds(), 0.0),
                .updates = check.count("updates", from.updates()),
                .pending = check.count("pending", from.pending()),
                .total_sites = check.count("total_sites", from.total_sites()),
                .first = check.count("first", from.first())};
  const bool fits = from.sites_size() <= static_cast<int>(kMaxSitesPerStatus);
  check.check(fits, "sites", "are too many");
  if (!fits) return status;
  for (const auto& site : from.sites()) status.sites.push_back(from_wire(site, check));
  status.awaited_sites = check.count("awaited_sites", from.awaited_sites());
  return status;
}

Command from_wire(const wire::Command& from, FieldCheck& check) {
  Command command{.order = check.known("order", from.order(), kLastOperatorOrder)};
  if (from.has_site()) command.site = check.name("site", from.site());
  check.check(from.has_site() == (command.order == OperatorOrder::kRemove), "site",
              "must be named exactly where one is removed");
  return command;
}

}  // namespace convoy::net::internal
