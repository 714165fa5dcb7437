// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <string>

#include "scheduler/net/internal/wire.h"

namespace convoy::net::internal {
namespace {

std::string bytes_of(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// Callers pass on what files, libraries and other ends have said: whatever that is, it arrives.
std::string sendable(const std::string& text) {
  FieldCheck check;
  (void)check.text("text", text);
  return check.ok() ? text : as_text(text);
}

/// Training that goes wrong ends in losses of any size.
double sendable(double metric) {
  return std::isfinite(metric) ? std::clamp(metric, -kLargestMetric, kLargestMetric) : metric;
}

template <typename Enum>
std::uint32_t number_of(Enum value) {
  return static_cast<std::uint32_t>(value);
}

wire::SiteStatus to_wire(const SiteStatus& site) {
  wire::SiteStatus to;
  to.set_name(site.name);
  to.set_activity(number_of(site.activity));
  to.set_connected(site.connected);
  if (site.seconds_per_step) to.set_seconds_per_step(*site.seconds_per_step);
  if (site.group) to.set_group(*site.group);
  to.set_round(site.round);
  to.set_steps(site.steps);
  to.set_version(site.version);
  to.set_bytes_up(site.bytes_up);
  to.set_bytes_down(site.bytes_down);
  to.set_silent_seconds(site.silent_seconds);
  to.set_parting(number_of(site.parting));
  return to;
}

}  // namespace

wire::Hello to_wire(const Hello& message) {
  wire::Hello to;
  to.set_lowest_version(message.versions.lowest);
  to.set_highest_version(message.versions.highest);
  to.set_party(number_of(message.party));
  to.set_name(message.name);
  to.set_instance(message.instance);
  for (const auto& capability : message.capabilities) to.add_capabilities(capability);
  to.set_software(sendable(message.software));
  return to;
}

wire::Welcome to_wire(const Welcome& message) {
  wire::Welcome to;
  to.set_version(message.version);
  to.set_server(message.server);
  to.set_run(message.run);
  for (const auto& capability : message.capabilities) to.add_capabilities(capability);
  to.set_heartbeat_ms(message.heartbeat_ms);
  to.set_liveness_ms(message.liveness_ms);
  to.set_software(sendable(message.software));
  return to;
}

wire::Refusal to_wire(const Refusal& message) {
  wire::Refusal to;
  to.set_code(number_of(message.code));
  to.set_text(sendable(message.text));
  return to;
}

wire::Goodbye to_wire(const Goodbye& message) {
  wire::Goodbye to;
  to.set_text(sendable(message.text));
  return to;
}

wire::Accepted to_wire(const Accepted& message) {
  wire::Accepted to;
  to.set_text(sendable(message.text));
  return to;
}

wire::Join to_wire(const Join& message) {
  wire::Join to;
  to.set_samples(message.samples);
  to.set_schema_hash(message.schema_hash);
  to.set_threads(message.threads);
  to.set_ranks(message.ranks);
  if (message.held_version) to.set_held_version(*message.held_version);
  if (message.pending_update) to.set_pending_update(*message.pending_update);
  if (message.open_round) to.set_open_round(*message.open_round);
  return to;
}

wire::JobOffer to_wire(const JobOffer& message) {
  wire::JobOffer to;
  to.set_job(message.job);
  to.set_model_hash(message.model_hash);
  if (message.torchscript_sha256) to.set_torchscript_sha256(bytes_of(*message.torchscript_sha256));
  to.set_client(message.client);
  return to;
}

wire::Dispatch to_wire(const Dispatch& message) {
  wire::Dispatch to;
  to.set_round(message.round);
  to.set_version(message.version);
  to.set_model_hash(message.model_hash);
  to.set_steps(message.steps);
  if (message.deadline_seconds) to.set_deadline_seconds(*message.deadline_seconds);
  to.set_seed(message.seed);
  to.set_position(message.position);
  to.set_updates(message.updates);
  to.set_take_back(message.take_back);
  return to;
}

wire::Progress to_wire(const Progress& message) {
  wire::Progress to;
  to.set_activity(number_of(message.activity));
  if (message.round) to.set_round(*message.round);
  to.set_steps_done(message.steps_done);
  return to;
}

wire::Leave to_wire(const Leave& message) {
  wire::Leave to;
  to.set_reason(number_of(message.reason));
  to.set_text(sendable(message.text));
  return to;
}

wire::UploadBegin to_wire(const UploadBegin& message) {
  wire::UploadBegin to;
  to.set_update_id(message.update_id);
  to.set_sha256(bytes_of(message.sha256));
  to.set_bytes(message.bytes);
  to.set_round(message.round);
  to.set_version(message.version);
  to.set_steps(message.steps);
  to.set_samples(message.samples);
  to.set_position(message.position);
  to.set_training_seconds(message.training_seconds);
  if (message.epsilon) to.set_epsilon(*message.epsilon);
  to.set_finite(message.finite);
  for (const auto& metric : message.metrics) {
    auto* item = to.add_metrics();
    item->set_name(metric.name);
    item->set_value(sendable(metric.value));
  }
  return to;
}

wire::UploadAck to_wire(const UploadAck& message) {
  wire::UploadAck to;
  to.set_update_id(message.update_id);
  to.set_duplicate(message.duplicate);
  return to;
}

wire::ModelBegin to_wire(const ModelBegin& message) {
  wire::ModelBegin to;
  to.set_kind(number_of(message.kind));
  to.set_version(message.version);
  to.set_model_hash(message.model_hash);
  to.set_sha256(bytes_of(message.sha256));
  to.set_bytes(message.bytes);
  return to;
}

wire::StreamOffset to_wire(const StreamOffset& message) {
  wire::StreamOffset to;
  to.set_stream(message.stream);
  to.set_offset(message.offset);
  to.set_limit(message.limit);
  return to;
}

wire::StreamEnd to_wire(const StreamEnd& message) {
  wire::StreamEnd to;
  to.set_stream(message.stream);
  to.set_sha256(bytes_of(message.sha256));
  return to;
}

wire::StatusRequest to_wire(const StatusRequest& message) {
  wire::StatusRequest to;
  to.set_first(message.first);
  return to;
}

wire::Status to_wire(const Status& message) {
  wire::Status to;
  to.set_run(message.run);
  to.set_phase(number_of(message.phase));
  to.set_version(message.version);
  to.set_seconds(message.seconds);
  to.set_updates(message.updates);
  to.set_pending(message.pending);
  to.set_total_sites(message.total_sites);
  to.set_first(message.first);
  for (const auto& site : message.sites) *to.add_sites() = to_wire(site);
  to.set_awaited_sites(message.awaited_sites);
  return to;
}

wire::Command to_wire(const Command& message) {
  wire::Command to;
  to.set_order(number_of(message.order));
  if (message.site) to.set_site(*message.site);
  return to;
}

}  // namespace convoy::net::internal
