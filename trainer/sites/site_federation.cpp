// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/site_federation.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <span>
#include <utility>

#include "base/errors.h"
#include "base/log.h"
#include "compress/codec/codec.h"
#include "scheduler/journal/storage_error.h"
#include "trainer/federated/update_layers.h"
#include "trainer/sites/logged_facts.h"
#include "trainer/sites/update_bounds.h"

namespace convoy::trainer {

using scheduler::Input;
using scheduler::journal::AuditEvent;
using scheduler::journal::ClockEntry;
using scheduler::journal::CommandEntry;
using scheduler::journal::InputEntry;
using scheduler::journal::UpdateEntry;

namespace {

constexpr std::string_view kRemove = "remove ";

ClientReport report_of(const UpdateEntry& entry) {
  ClientReport report{.client = entry.input.update.client, .round = entry.input.update.round};
  report.result.steps = entry.input.update.local_steps;
  report.result.finite = entry.input.update.finite;
  report.result.update.client = report.client;
  report.measures_speed = entry.input.update.measures_speed;
  report.wire_bytes = entry.bytes;
  put_facts(entry.facts, report);
  return report;
}

}  // namespace

bool SiteFederation::is_due_to_end() const {
  if (!has_begun()) return false;
  const FederationConfig& end = job_.federation;
  const auto& sites = book_.all();
  const bool all_left =
      std::all_of(sites.begin(), sites.end(), [](const auto& one) { return one.second.has_left; });
  // What was refused has brought the run nowhere; a site must not be able to end it with that.
  const std::int64_t used = updates() - server_->policy().counts().refused;
  return is_finish_ordered_ || all_left || (end.updates > 0 && used >= end.updates) ||
         (end.rounds > 0 && server_->aggregator().version() >= end.rounds) ||
         (end.seconds > 0.0 && seconds() >= end.seconds);
}

/// Numbered in the log, and not yet durable: nothing of it may leave before make_durable().
void SiteFederation::record(const Entry& entry) {
  sequence_ = journal_->record(entry);
  audit_part_ = 0;
}

/// The audit log comes behind the log: of what that does not hold it must not tell. What a crash
/// takes of it, the replay of the log writes again.
void SiteFederation::make_durable() {
  journal_->sync(sequence_);
  write_notes();
}

void SiteFederation::record_input(Input::Kind kind, std::int64_t client, std::int64_t samples) {
  const bool is_of_site =
      kind == Input::Kind::kJoin || kind == Input::Kind::kEvict || kind == Input::Kind::kLeave;
  const InputEntry entry{
      .input = {.kind = kind, .time = now(), .update = {.client = client}, .samples = samples},
      .site = is_of_site ? book_.name_of(client) : ""};
  record(entry);
  apply(entry);
  make_durable();
}

void SiteFederation::join(const std::vector<NewSite>& sites) {
  for (const NewSite& site : sites) {
    book_.add(site.name, {.client = site.client, .samples = site.samples});
    const InputEntry entry{.input = {.kind = Input::Kind::kJoin,
                                     .time = now(),
                                     .update = {.client = site.client},
                                     .samples = site.samples},
                           .site = site.name};
    record(entry);
    apply(entry);
  }
  make_durable();
}

void SiteFederation::rejoin(std::int64_t client, std::optional<std::int64_t> held_version) {
  if (server_->held_version(client) != held_version) server_->forget_model(client);
  record_input(Input::Kind::kJoin, client, book_.find(book_.name_of(client))->samples);
}

void SiteFederation::on_time() { record_input(Input::Kind::kTimer, 0); }
void SiteFederation::evict(std::int64_t client) { record_input(Input::Kind::kEvict, client); }

void SiteFederation::leave(std::int64_t client, const std::string& why) {
  logger("trainer")->info("site {} leaves: {}", book_.name_of(client), why);
  record_input(Input::Kind::kLeave, client);
}

void SiteFederation::shut_down() { record_input(Input::Kind::kShutdown, 0); }

void SiteFederation::tick() {
  record(ClockEntry{.kind = ClockEntry::Kind::kTick, .time = now()});
  make_durable();
  audit_->sync();
}

void SiteFederation::command(const std::string& from, const std::string& command) {
  const CommandEntry entry{.time = now(), .from = from, .command = command};
  record(entry);
  apply(entry);
  make_durable();
}

void SiteFederation::apply(const CommandEntry& entry) {
  if (entry.command == "pause") is_paused_ = true;
  if (entry.command == "resume") is_paused_ = false;
  if (entry.command == "finish") is_finish_ordered_ = true;
  note({.time = entry.time,
        .event = "command",
        .site = {},
        .text = entry.from + ": " + entry.command});
  if (!entry.command.starts_with(kRemove)) return;
  const std::string site = entry.command.substr(kRemove.size());
  removed_.insert(site);
  let_go(entry.time, site);
}

/// For good; a site that has never joined too.
void SiteFederation::let_go(double time, const std::string& name) {
  gone_.insert(name);
  const EnrolledSite* site = book_.find(name);
  if (site == nullptr || site->has_left) return;
  note({.time = time, .event = "leave", .site = name});
  book_.has_left(site->client);
  server_->leave(time, site->client);
}

void SiteFederation::apply(const InputEntry& entry) {
  const Input& input = entry.input;
  const std::int64_t client = input.update.client;
  switch (input.kind) {
    case Input::Kind::kJoin:
      if (!begun_at_) begun_at_ = input.time;
      if (book_.find(entry.site) == nullptr) {  // in a replay
        book_.add(entry.site, {.client = client, .samples = input.samples});
      }
      note({.time = input.time, .event = "join", .site = entry.site, .samples = input.samples});
      return server_->join(input.time, client, input.samples);
    case Input::Kind::kTimer:
      return server_->on_time(input.time);
    case Input::Kind::kEvict:
      note({.time = input.time, .event = "evict", .site = entry.site});
      return server_->evict(input.time, client);
    case Input::Kind::kLeave:
      return let_go(input.time, entry.site);
    case Input::Kind::kShutdown:
      has_ended_ = true;
      return server_->shut_down(input.time);
    case Input::Kind::kArrive:
      break;
  }
  throw ContractError("an arrival is an UpdateEntry");
}

bool SiteFederation::awaits(std::int64_t client, std::int64_t round) const {
  const auto found = server_->outstanding().find(client);
  return found != server_->outstanding().end() && found->second.round == round;
}

bool SiteFederation::knows(const std::string& site, const std::string& id) const {
  return journal_->find(site, id).has_value();
}

bool SiteFederation::update(const std::string& site, const net::UploadBegin& update,
                            const std::string& address) {
  if (knows(site, update.update_id)) return false;
  const EnrolledSite& own = *book_.find(site);
  const double time = now();
  const double begun = begun_[own.client].at;
  UpdateEntry entry{
      .input = {.kind = Input::Kind::kArrive,
                .time = time,
                .update = {.client = own.client,
                           .round = update.round,
                           .local_steps = update.steps,
                           .finite = update.finite,
                           .measures_speed = !journal_->clock().was_down_between(begun, time)},
                .samples = own.samples,
                .duration = time - begun},
      .site = site,
      .id = update.update_id,
      .sha256 = update.sha256,
      .bytes = static_cast<std::uint64_t>(update.bytes),
      .facts = logged_facts(update, "")};
  ClientReport report = report_of(entry);
  if (const auto wrong = fault_of(site, update, report)) {
    logger("trainer")->warn("refused update {} of {} at {}: {}", entry.id, site, address, *wrong);
    entry.facts = logged_facts(update, *wrong);
    entry.input.update.finite = report.result.finite = false;
  }
  record(entry);
  apply(entry, std::move(report));
  make_durable();
  return true;
}

void SiteFederation::apply(const UpdateEntry& entry, ClientReport report) {
  const std::int64_t client = entry.input.update.client;
  const auto outstanding = server_->outstanding().find(client);
  const bool answers_round = outstanding != server_->outstanding().end() &&
                             outstanding->second.round == entry.input.update.round;
  const auto& privacy = report.result.privacy;
  if (answers_round) {
    owed_.erase(client);  // that round was told of it
    known_[{client, entry.input.update.round}] = {
        entry.id, entry.sha256, privacy ? std::optional(privacy->epsilon) : std::nullopt};
  }
  if (entry.bytes > 0) unreleased_.emplace_back(entry.site, entry.id);
  const bool leaves = privacy && privacy->leaves && !book_.find(entry.site)->has_left;
  if (leaves) book_.has_left(client);
  arriving_ = &entry;
  server_->report(entry.input.time, entry.input.duration, std::move(report));
  arriving_ = nullptr;
  if (leaves) {
    note(
        {.time = entry.input.time, .event = "leave", .site = entry.site, .text = "privacy budget"});
  }
}

ClientReport SiteFederation::read(const UpdateEntry& entry) const {
  ClientReport report = report_of(entry);
  if (!entry.input.update.finite) return report;
  if (const auto wrong = unpack(entry.site, entry.id, report)) {
    throw scheduler::journal::DamageError(
        fmt::format("update {} of {} was of use when it was logged, and is not now: {}", entry.id,
                    entry.site, *wrong));
  }
  return report;
}

/// Fills in the update's tensors. @return why it must not be used, if it claims that it can be.
std::optional<std::string> SiteFederation::fault_of(const std::string& site,
                                                    const net::UploadBegin& update,
                                                    ClientReport& report) const {
  if (!update.finite) return std::nullopt;
  const auto& outstanding = server_->outstanding();
  const auto asked = outstanding.find(report.client);
  if (asked != outstanding.end() && asked->second.round == update.round &&
      asked->second.version != update.version) {
    return fmt::format("it starts from version {}, and its round from version {}", update.version,
                       asked->second.version);
  }
  return unpack(site, update.update_id, report);
}

std::optional<std::string> SiteFederation::unpack(const std::string& site, const std::string& id,
                                                  ClientReport& report) const {
  TensorPack pack;
  ModelUpdate& update = report.result.update;
  try {
    PackReader reader(store_.size(site, id), shape_);
    store_.read(site, id, [&reader](std::span<const std::byte> part) { reader.feed(part); });
    pack = reader.finish();
    if (pack.parameters.empty() && codec_) {
      update.delta = decode(*codec_, pack.payload, shape_.like.parameters);
    } else if (pack.payload.empty() && !codec_) {
      update.delta = std::move(pack.parameters);
    } else {
      return codec_ ? "it is not compressed" : "it is compressed";
    }
  } catch (const compress::PayloadError& error) {
    return error.what();
  }
  update.buffers = std::move(pack.buffers);
  if (!is_finite(update)) return "it is not finite";
  return excess_of(update, *server_->aggregator().model(), job_.sites);
}

void SiteFederation::on_assignment(Assignment assignment) {
  // One that is sent again has begun when it was sent first.
  Begun& begun = begun_[assignment.client];
  if (begun.round != assignment.round) {
    begun = {.round = assignment.round, .at = server_->policy().now()};
  }
  // Of a client at most the newest is of use.
  std::erase_if(assignments_,
                [&](const Assignment& other) { return other.client == assignment.client; });
  assignments_.push_back(std::move(assignment));
}

std::vector<Assignment> SiteFederation::take_assignments() {
  return std::exchange(assignments_, {});
}

/// Only an update that arrives is refused.
void SiteFederation::on_refused(std::int64_t client, const std::string& reason) {
  require(arriving_ != nullptr, "SiteFederation: what does not arrive cannot be refused");
  owed_.insert(client);
  known_.erase({client, arriving_->input.update.round});
  const std::string wrong = what_is_wrong(arriving_->facts);
  note({.time = server_->policy().now(),
        .event = "refusal",
        .site = arriving_->site,
        .update = arriving_->id,
        .sha256 = arriving_->sha256,
        .text = wrong.empty() ? reason : wrong});
}

void SiteFederation::on_new_model(const NewModel& made) {
  metrics_->new_model(made, updates());
  for (const auto& member : made.members) {
    summary_.run.steps += member.contribution.local_steps;
    summary_.run.samples += member.samples;
    const auto& contribution = member.contribution;
    if (member.validation) book_.validated(contribution.client, *member.validation);
    const auto known = known_.find({contribution.client, contribution.round});
    require(known != known_.end(), "SiteFederation: an update that has not come");
    const std::string& site = book_.name_of(contribution.client);
    note({.time = made.time,
          .event = "contribution",
          .site = site,
          .update = known->second.id,
          .sha256 = known->second.sha256,
          .version = made.version,
          .samples = book_.find(site)->samples,
          .steps = contribution.local_steps,
          .weight = contribution.coefficient,
          .epsilon = known->second.epsilon,
          .text = job_.privacy.insecure_seed != 0 ? "INSECURE: noise from a seed" : ""});
    known_.erase(known);
  }
  if (test_) return;
  const Evaluation judgement = book_.judgement();
  summary_.run.loss = judgement.loss;
  summary_.run.accuracy = judgement.accuracy;
}

/// What a replay brings again stands in the file already and is not written twice.
void SiteFederation::note(AuditEvent event) {
  event.input = sequence_;
  event.part = audit_part_++;
  notes_.push_back(std::move(event));
}

void SiteFederation::write_notes() {
  for (const AuditEvent& event : notes_) (void)audit_->append(event);
  notes_.clear();
}

}  // namespace convoy::trainer
