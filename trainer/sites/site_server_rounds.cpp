// SPDX-License-Identifier: Apache-2.0
// What travels: updates, rounds with their models, the final model; and what operators are told.
#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "base/errors.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/plain_name.h"
#include "scheduler/net/tensor_manifest.h"
#include "trainer/sites/site_server.h"

namespace convoy::trainer {
namespace {

using net::Refusal;
using net::RefusalCode;

/// A site that cannot use so many models in a row will not be sent a better one.
constexpr int kMostBadModels = 8;

Refusal out_of_round(const net::UploadBegin& update) {
  return {RefusalCode::kOutOfRound,
          fmt::format("round {} of this site is over, or was never given out", update.round)};
}

}  // namespace

void SiteServer::announce(const net::SessionPtr& session, std::uint64_t id,
                          const net::UploadBegin& update) {
  const Guest* guest = guest_of(session);
  const std::string& name = session->name();
  const EnrolledSite* site = federation_.book().find(name);
  if (guest == nullptr || site == nullptr) {
    return session->answer(id, Refusal{RefusalCode::kUnexpected, "join before you send updates"});
  }
  if (federation_.knows(name, update.update_id)) {
    return session->answer(id, net::UploadAck{update.update_id, true});
  }
  if (!federation_.awaits(site->client, update.round)) {
    return session->answer(id, out_of_round(update));
  }
  const std::int64_t most = most_update_bytes();
  if (update.bytes > most) {
    return session->answer(
        id, Refusal{RefusalCode::kBadUpdate,
                    fmt::format("{} bytes are more than an update of this model has ({})",
                                update.bytes, most)});
  }
  session->accept_upload(id, update);
}

/// A dense update, with room for its list of tensors and what codecs add.
std::int64_t SiteServer::most_update_bytes() const {
  const auto model = static_cast<std::int64_t>(bytes_of(federation_.shape().like));
  return 2 * model + static_cast<std::int64_t>(net::kMaxManifestBytes);
}

void SiteServer::take_update(const net::SessionPtr& session, std::uint64_t id,
                             const net::UploadBegin& update) {
  const std::string& name = session->name();
  const EnrolledSite* site = federation_.book().find(name);
  if (site == nullptr) {
    return session->answer(id, Refusal{RefusalCode::kUnexpected, "join before you send updates"});
  }
  // One without bytes has not been announced.
  if (!update.finite && !federation_.knows(name, update.update_id) &&
      !federation_.awaits(site->client, update.round)) {
    return session->answer(id, out_of_round(update));
  }
  Guest& guest = guests_.find(name)->second;
  guest.is_given_up = false;
  guest.bad_models = 0;
  guest.open_round = std::nullopt;
  const bool is_new = federation_.update(name, update, session->address());
  session->answer(id, net::UploadAck{update.update_id, !is_new});
}

void SiteServer::take_refusal(const net::SessionPtr& session, const Refusal& refusal) {
  Guest* guest = guest_of(session);
  const EnrolledSite* site = federation_.book().find(session->name());
  if (guest == nullptr) return;
  if (refusal.code == RefusalCode::kBadStream && site != nullptr && !federation_.has_ended()) {
    if (++guest->bad_models > kMostBadModels) {
      return session->end(Refusal{RefusalCode::kTooMuch, "it has refused too many models"});
    }
    guest->held_version = std::nullopt;
    federation_.rejoin(site->client, std::nullopt);  // dense this time
    return;
  }
  if (refusal.code != RefusalCode::kSitePolicy) return;
  if (site != nullptr && !federation_.is_gone(session->name())) {
    federation_.leave(site->client, refusal.text);
  }
  session->end("as the site's policy says");
}

void SiteServer::send_assignments() {
  for (Assignment& assignment : federation_.take_assignments()) {
    Guest& guest = guests_.find(federation_.book().name_of(assignment.client))->second;
    if (federation_.is_paused()) {
      held_back_.insert(assignment.client);
      continue;
    }
    if (guest.session) send(assignment);
    assignment.start = nullptr;
    assignment.message = nullptr;
    guest.newest = std::move(assignment);
  }
}

void SiteServer::send(const Assignment& assignment) {
  Guest& guest = guests_.find(federation_.book().name_of(assignment.client))->second;
  net::Dispatch round{.round = assignment.round,
                      .version = assignment.version,
                      .model_hash = streams_.hash_of(assignment),
                      .steps = assignment.steps,
                      .seed = job_.run.seed,
                      .position = assignment.position,
                      .updates = assignment.updates,
                      .take_back = federation_.owes(assignment.client)};
  if (assignment.latest) {
    round.deadline_seconds = std::max(0.0, *assignment.latest - federation_.now());
  }
  const bool holds_it = guest.held_version == assignment.version;
  const ModelStream stream = holds_it ? ModelStream{} : streams_.stream_of(assignment);
  net::ModelBegin begin{.kind = net::StreamKind::kModel,
                        .version = assignment.version,
                        .model_hash = round.model_hash};
  if (stream.bytes) {
    begin.bytes = std::ssize(*stream.bytes);
    begin.sha256 = stream.sha256;
  }
  guest.held_version = assignment.version;
  guest.open_round = assignment.round;
  guest.session->dispatch(round, begin, stream.bytes);
}

/// Waits until every site has the final model, or none has got on with it for sites.linger seconds.
void SiteServer::distribute_final() {
  const SharedState& model = federation_.server().aggregator().model();
  streams_.clear();
  final_ = std::make_shared<const std::vector<std::byte>>(
      to_stream({.parameters = model->parameters, .payload = {}, .buffers = model->buffers},
                federation_.shape()));
  final_begin_ = {.kind = net::StreamKind::kFinalModel,
                  .version = federation_.server().aggregator().version(),
                  .model_hash = hash_of(*model),
                  .sha256 = sha256(*final_),
                  .bytes = std::ssize(*final_)};
  const auto linger =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(job_.sites.linger));
  auto last = Clock::now() + linger;
  for (auto& [name, guest] : guests_) {
    if (!is_out(name)) send_final(guest);
  }
  tell_whom_it_waits_for();
  while (!all_have_final() && Clock::now() < last) {
    if (request_.stop != nullptr && *request_.stop) break;
    if (auto task = tasks_.take(Clock::now() + std::chrono::milliseconds(50))) (*task)();
    reload_lists_if_due();
    last = std::max(last, last_got_on() + linger);
  }
  for (const auto& [name, guest] : guests_) {
    if (!guest.has_final && !is_out(name)) {
      logger("net")->warn("site {} has not fetched the final model", name);
    }
  }
  listener_->stop();
}

void SiteServer::tell_whom_it_waits_for() const {
  std::string names;
  for (const auto& [name, guest] : guests_) {
    if (guest.has_final || is_out(name)) continue;
    names += (names.empty() ? "" : ", ") + name + (guest.session ? "" : " (away)");
  }
  if (names.empty()) return;
  logger("net")->info("the final model is ready; it waits {:.4g} s and longer for {}",
                      job_.sites.linger, names);
}

/// When a site that has not got all of it has got a part of the final model.
SiteServer::Clock::time_point SiteServer::last_got_on() const {
  Clock::time_point last{};
  for (const auto& [name, guest] : guests_) {
    if (guest.session && !guest.has_final) last = std::max(last, guest.session->last_taken());
  }
  return last;
}

void SiteServer::send_final(Guest& guest) {
  if (guest.session && final_) guest.session->send_stream(final_begin_, final_);
}

/// The final model is not for those that have left.
bool SiteServer::is_out(const std::string& name) const {
  const EnrolledSite* site = federation_.book().find(name);
  return federation_.is_gone(name) || (site != nullptr && site->has_left);
}

bool SiteServer::all_have_final() const {
  return std::all_of(guests_.begin(), guests_.end(), [this](const auto& one) {
    // One that leaves still waits for the answer to that.
    return one.second.has_final || (is_out(one.first) && !one.second.session);
  });
}

void SiteServer::obey(const net::SessionPtr& session, std::uint64_t id,
                      const net::Command& command) {
  using net::OperatorOrder;
  const std::string& from = session->name();
  std::string done;
  if (command.order == OperatorOrder::kFinish && !federation_.has_begun()) {
    return session->answer(id, Refusal{RefusalCode::kNotNow, "the run has not begun"});
  }
  if (federation_.has_ended()) {
    return session->answer(id, Refusal{RefusalCode::kNotNow, "the run is over"});
  }
  switch (command.order) {
    case OperatorOrder::kPause:
      federation_.command(from, done = "pause");
      break;
    case OperatorOrder::kResume:
      federation_.command(from, done = "resume");
      send_held_back();
      break;
    case OperatorOrder::kRemove: {
      const std::string& site = *command.site;
      if (!guests_.contains(site) && federation_.book().find(site) == nullptr) {
        return session->answer(id,
                               Refusal{RefusalCode::kUnknownSite, "no site " + site + " is here"});
      }
      federation_.command(from, done = "remove " + site);
      turn_out(site);
      break;
    }
    case OperatorOrder::kFinish:
      federation_.command(from, done = "finish");
      break;
  }
  logger("net")->info("operator {} at {}: {}", from, session->address(), done);
  session->answer(id, net::Accepted{done});
}

/// Rounds that were assigned during a pause, as they are by now.
void SiteServer::send_held_back() {
  const auto& outstanding = federation_.server().outstanding();
  for (const auto client : std::exchange(held_back_, {})) {
    const auto found = outstanding.find(client);
    if (found == outstanding.end()) continue;
    Guest& guest = guests_.find(federation_.book().name_of(client))->second;
    if (guest.session) send(found->second);
  }
}

net::RunPhase SiteServer::phase() const {
  if (federation_.has_ended()) return net::RunPhase::kFinished;
  if (federation_.is_due_to_end()) return net::RunPhase::kFinishing;
  if (federation_.is_paused()) return net::RunPhase::kPaused;
  return federation_.has_begun() ? net::RunPhase::kRunning : net::RunPhase::kWaiting;
}

net::Status SiteServer::status(const net::SiteSession& session,
                               const net::StatusRequest& request) const {
  const FederatedServer& server = federation_.server();
  const std::string& name = job_.run.name;
  net::Status status{.run = is_plain_name(name) ? name : to_hex(federation_.run_id()),
                     .phase = phase(),
                     .version = server.aggregator().version(),
                     .seconds = federation_.seconds(),
                     .updates = server.policy().counts().received,
                     .pending = server.policy().pending(),
                     .total_sites = std::ssize(guests_),
                     .first = request.first};
  if (!federation_.has_begun()) status.awaited_sites = job_.federation.clients;
  std::int64_t number = 0;
  const bool sees_all = session.role() == net::Role::kOperator;
  if (!sees_all) status.total_sites = guests_.contains(session.name()) ? 1 : 0;
  for (const auto& [site, guest] : guests_) {
    if (!sees_all && site != session.name()) continue;
    if (number++ < request.first) continue;
    if (status.sites.size() == net::kMaxSitesPerStatus) break;
    status.sites.push_back(status_of(site, guest));
  }
  return status;
}

net::SiteStatus SiteServer::status_of(const std::string& name, const Guest& guest) const {
  const auto heard = guest.session ? guest.session->last_heard() : guest.heard;
  net::SiteStatus site{
      .name = name,
      .activity = guest.progress.activity,
      .connected = guest.session != nullptr,
      .silent_seconds = std::max(0.0, std::chrono::duration<double>(Clock::now() - heard).count())};
  if (guest.newest) {
    site.seconds_per_step = guest.newest->seconds_per_step;
    site.group = guest.newest->group;
    site.round = guest.newest->round;
    site.steps = guest.newest->steps;
    site.version = guest.newest->version;
  }
  if (is_out(name)) site.parting = net::Parting::kLeft;
  if (federation_.is_removed(name)) site.parting = net::Parting::kRemoved;
  const EnrolledSite* enrolled = federation_.book().find(name);
  const auto& bytes = federation_.server().bytes();
  const auto found = enrolled == nullptr ? bytes.end() : bytes.find(enrolled->client);
  if (found != bytes.end()) {
    site.bytes_up = static_cast<std::int64_t>(found->second.up);
    site.bytes_down = static_cast<std::int64_t>(found->second.down);
  }
  return site;
}

}  // namespace convoy::trainer
