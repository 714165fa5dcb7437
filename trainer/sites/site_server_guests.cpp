// SPDX-License-Identifier: Apache-2.0
// Who takes part: how sites join, come back, leave and are removed.
#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "base/errors.h"
#include "base/log.h"
#include "trainer/sites/site_server.h"

namespace convoy::trainer {
namespace {

using net::Refusal;
using net::RefusalCode;

}  // namespace

/// By its place in the roster, else in the order of joining: a site's data stream hangs on it.
std::int64_t SiteServer::client_number(const std::string& name) const {
  if (const EnrolledSite* site = federation_.book().find(name)) return site->client;
  const auto& roster = job_.sites.roster;
  if (!roster.empty()) {
    return std::find(roster.begin(), roster.end(), name) - roster.begin();
  }
  // Nobody is enrolled before all of the first are here: those are numbered by name in begin().
  return static_cast<std::int64_t>(federation_.book().all().size());
}

/// Who may not even know the job.
std::optional<Refusal> SiteServer::refusal_of(const std::string& name) const {
  const auto& roster = job_.sites.roster;
  if (!roster.empty() && std::find(roster.begin(), roster.end(), name) == roster.end()) {
    return Refusal{RefusalCode::kUnknownSite, name + " is not in sites.roster"};
  }
  if (federation_.is_removed(name)) {
    return Refusal{RefusalCode::kUnknownSite, "an operator has removed " + name + " from this run"};
  }
  if (federation_.is_gone(name)) {
    return Refusal{RefusalCode::kUnknownSite, name + " has left this run"};
  }
  return std::nullopt;
}

std::optional<Refusal> SiteServer::refusal_of(const net::SiteSession& session,
                                              const net::Join& join) const {
  const std::string& name = session.name();
  if (auto refusal = refusal_of(name)) return refusal;
  const auto guest = guests_.find(name);
  const bool is_known = guest != guests_.end();
  if (!is_known && std::ssize(guests_) >= job_.federation.clients) {
    return Refusal{RefusalCode::kUnknownSite,
                   fmt::format("{} sites take part already", job_.federation.clients)};
  }
  if (!is_known && federation_.has_ended()) {
    return Refusal{RefusalCode::kNotNow, "the run is over"};
  }
  if (options_.schema_hash != 0 && join.schema_hash != options_.schema_hash) {
    return Refusal{
        RefusalCode::kOtherSchema,
        fmt::format("the data have other columns, types or classes than the job's, which "
                    "are: {} (convoy join --check says what the site has)",
                    options_.schema)};
  }
  if (!is_known || !guest->second.session) return std::nullopt;
  const Guest& other = guest->second;
  const std::chrono::duration<double> silent = Clock::now() - other.session->last_heard();
  if (other.instance != session.instance() && silent.count() < job_.federation.liveness_seconds()) {
    return Refusal{RefusalCode::kSecondInstance,
                   fmt::format("{} is connected from {}, by another process that lives", name,
                               other.session->address())};
  }
  return std::nullopt;
}

net::JobOffer SiteServer::offer(std::int64_t client) const {
  net::JobOffer offer{.job = options_.job_text,
                      .model_hash = hash_of(federation_.shape()),
                      .torchscript_sha256 = {},
                      .client = client};
  if (options_.torchscript) offer.torchscript_sha256 = script_.sha256;
  return offer;
}

/// Only announced: a site whose policy does not list the file refuses, and no byte of it goes out.
void SiteServer::send_script(net::SiteSession& session) const {
  if (options_.torchscript) session.send_stream(script_, options_.torchscript);
}

void SiteServer::join(const net::SessionPtr& session, std::uint64_t id, const net::Join& join) {
  const std::string& name = session->name();
  const bool is_question = join.schema_hash == 0;
  const auto refusal = is_question ? refusal_of(name) : refusal_of(*session, join);
  if (refusal) return session->end(*refusal);
  if (is_question) {
    session->answer(id, offer(0));
    send_script(*session);
    return;
  }
  Guest& guest = guests_[name];
  if (guest.session == session) {
    return session->end(Refusal{RefusalCode::kUnexpected, "this connection has joined already"});
  }
  if (guest.session) {
    guest.session->end(Refusal{RefusalCode::kSecondInstance, "a newer connection has come"});
  }
  guest.session = session;
  guest.instance = session->instance();
  guest.heard = Clock::now();
  guest.samples = join.samples;
  guest.open_round = join.open_round;
  guest.held_version = join.held_version;
  guest.has_final = false;
  guest.is_given_up = false;
  logger("net")->info("site {} at {} has joined: {} samples, {} ranks", name, session->address(),
                      join.samples, join.ranks);
  if (!first_join_) first_join_ = Clock::now();
  const std::int64_t client = client_number(name);
  if (federation_.book().find(name) == nullptr) {
    guest.offer_id = id;  // answered when its number is known
    if (federation_.has_begun()) {
      const double share = job_.sites.max_weight_share;
      federation_.join({{.name = name,
                         .client = client,
                         .samples = federation_.book().bounded_latecomer(join.samples, share)}});
      session->answer(id, offer(client));
    }
    return;
  }
  session->answer(id, offer(client));
  welcome_back(name);
}

/// Of one that is enrolled: it goes on with its round, or gets it (again).
void SiteServer::welcome_back(const std::string& name) {
  Guest& guest = guests_.find(name)->second;
  if (federation_.has_ended()) return send_final(guest);
  const std::int64_t client = federation_.book().find(name)->client;
  const auto& outstanding = federation_.server().outstanding();
  const auto found = outstanding.find(client);
  if (guest.open_round && found != outstanding.end() && found->second.round == *guest.open_round) {
    return;
  }
  federation_.rejoin(client, guest.held_version);
}

void SiteServer::begin_if_all_are_here() {
  if (federation_.has_begun() || guests_.empty()) return;
  std::erase_if(guests_, [](const auto& one) { return !one.second.session; });
  const auto here = std::ssize(guests_);
  const SitesConfig& sites = job_.sites;
  const bool is_late =
      sites.join_timeout > 0.0 && first_join_ &&
      Clock::now() - *first_join_ > std::chrono::duration<double>(sites.join_timeout);
  if (here >= job_.federation.clients || (is_late && here >= sites.min_clients)) begin();
}

void SiteServer::begin() {
  std::vector<std::int64_t> samples;
  for (const auto& [name, guest] : guests_) samples.push_back(guest.samples);
  const auto bounded = bounded_samples(samples, job_.sites.max_weight_share);
  logger("trainer")->info("{} sites are here: the run begins", guests_.size());
  std::vector<SiteFederation::NewSite> sites;
  for (auto& [name, guest] : guests_) {
    const std::size_t i = sites.size();
    if (bounded[i] != samples[i]) {
      logger("trainer")->warn(
          "site {} counts for {} samples and not for its {}: "
          "sites.max_weight_share",
          name, bounded[i], samples[i]);
    }
    const auto number =
        job_.sites.roster.empty() ? static_cast<std::int64_t>(i) : client_number(name);
    sites.push_back({.name = name, .client = number, .samples = bounded[i]});
  }
  federation_.join(sites);
  for (const auto& site : sites) {
    const Guest& guest = guests_.find(site.name)->second;
    guest.session->answer(guest.offer_id, offer(site.client));
  }
}

void SiteServer::leave(const net::SessionPtr& session, std::uint64_t id, const net::Leave& leave) {
  const std::string& name = session->name();
  const EnrolledSite* site = federation_.book().find(name);
  if (guest_of(session) != nullptr) {
    if (site == nullptr) guests_.erase(name);
    if (site != nullptr && !federation_.is_gone(name)) federation_.leave(site->client, leave.text);
  }
  session->answer(id, net::Accepted{});
}

/// Of a name that is gone by now.
void SiteServer::turn_out(const std::string& name) {
  const auto guest = guests_.find(name);
  if (guest != guests_.end() && guest->second.session) {
    guest->second.session->end(Refusal{RefusalCode::kUnknownSite, "an operator has removed it"});
    guest->second.session = nullptr;
  }
}

void SiteServer::closed(const net::SessionPtr& session, const std::string& why) {
  Guest* guest = guest_of(session);
  const bool is_expected = why.empty() || (guest != nullptr && guest->has_final);
  if (!is_expected) {
    logger("net")->warn("the connection with {} at {} has ended: {}", session->name(),
                        session->address(), why);
  }
  if (guest == nullptr) return;
  guest->heard = std::max(guest->heard, session->last_heard());
  guest->session = nullptr;
}

}  // namespace convoy::trainer
