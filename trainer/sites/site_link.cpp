// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/site_link.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "base/log.h"
#include "scheduler/net/versions.h"

namespace convoy::trainer {
namespace {

using net::RefusalCode;

constexpr std::chrono::seconds kWelcomePatience{30};

/// Refusals that dialling again does not cure.
bool is_for_good(RefusalCode code) {
  return code == RefusalCode::kNoCommonVersion || code == RefusalCode::kNotAllowed ||
         code == RefusalCode::kUnknownSite || code == RefusalCode::kOtherSchema ||
         code == RefusalCode::kSitePolicy;
}

bool ends_connection(RefusalCode code) {
  switch (code) {
    case RefusalCode::kUnknownType:
    case RefusalCode::kBadStream:
    case RefusalCode::kBadUpdate:
    case RefusalCode::kOutOfRound:
    case RefusalCode::kNotNow:
    case RefusalCode::kFailed:
      return false;
    default:
      return true;
  }
}

/// What the transport makes of an alert about our certificate that time does not cure: a server
/// that refuses everybody, say because its revocation list is old, sends others.
bool refuses_certificate(const std::string& why) {
  if (why.find("has refused our certificate") == std::string::npos) return false;
  return why.find("it is revoked") != std::string::npos ||
         why.find("it is for another role") != std::string::npos ||
         why.find("its CA is not known") != std::string::npos;
}

std::string said(const net::Refusal& refusal) {
  return fmt::format("the server refuses: {}: {}", net::to_text(refusal.code),
                     net::as_text(refusal.text));
}

}  // namespace

SiteLink::SiteLink(LinkIdentity identity, Surroundings surroundings)
    : identity_(std::move(identity)), around_(std::move(surroundings)) {}

void SiteLink::open(std::shared_ptr<net::Connection> connection) {
  require(!is_connected(), "SiteLink: one connection at a time");
  connection_ = std::move(connection);
  ++connections_;
  stage_ = Stage::kGreeting;
  known_.reset();
  waiting_.reset();
  unanswered_.reset();
  ended_.reset();
  leave_id_ = 0;
  opened_ = around_.now();
  (void)send(net::Hello{.versions = net::kSpokenVersions,
                        .party = net::Party::kSite,
                        .name = identity_.site,
                        .instance = identity_.instance,
                        .software = identity_.software});
}

void SiteLink::join_as(const std::string& run, net::Join join) {
  run_ = run;
  join_ = std::move(join);
  if (stage_ == Stage::kThinking) this->join();
}

void SiteLink::join() {
  const bool knows_job = join_ && run_ == welcome_.run;
  stage_ = knows_job ? Stage::kJoining : Stage::kAsking;
  if (!knows_job) {
    (void)send(net::Join{.samples = 1, .schema_hash = 0});
    return;
  }
  net::Join join = *join_;
  join.held_version = known_ = held_;
  join.open_round = round_;
  if (upload_) {
    join.pending_update = upload_->offered().begin.update_id;
    join.open_round = upload_->offered().begin.round;
  }
  (void)send(join);
}

void SiteLink::refuse_job(RefusalCode code, const std::string& text) {
  if (!is_connected() || stage_ == Stage::kEnding) return;
  (void)send(net::Refusal{.code = code, .text = net::as_text(text)}, offer_id_);
  end({.is_final = true, .needs_mending = true, .code = code, .text = text});
}

void SiteLink::leave(net::LeaveReason reason, const std::string& text) {
  leave_ = net::Leave{.reason = reason, .text = net::as_text(text)};
  leave_if_wanted();
}

void SiteLink::leave_if_wanted() {
  if (stage_ == Stage::kJoined && leave_ && leave_id_ == 0) leave_id_ = send(*leave_);
}

void SiteLink::say_goodbye(const std::string& text) {
  if (!is_connected() || stage_ == Stage::kEnding) return;
  (void)send(net::Goodbye{.text = net::as_text(text)});
  end({.text = text});
}

void SiteLink::on_message(const net::Message& message, std::uint64_t id, std::uint64_t answers) {
  unanswered_.reset();
  if (!is_connected() || stage_ == Stage::kEnding) return;
  if (const auto* welcome = std::get_if<net::Welcome>(&message)) return take(*welcome);
  if (const auto* refusal = std::get_if<net::Refusal>(&message)) return take(*refusal, answers);
  if (const auto* goodbye = std::get_if<net::Goodbye>(&message)) {
    return end({.text = "the server says goodbye: " + net::as_text(goodbye->text)});
  }
  if (const auto* offer = std::get_if<net::JobOffer>(&message)) return take(*offer, id);
  if (const auto* round = std::get_if<net::Dispatch>(&message)) return take(*round, id);
  if (const auto* begin = std::get_if<net::ModelBegin>(&message)) return take(*begin, id);
  if (const auto* offset = std::get_if<net::StreamOffset>(&message)) return take(*offset);
  if (const auto* last = std::get_if<net::StreamEnd>(&message)) return take(*last);
  if (const auto* ack = std::get_if<net::UploadAck>(&message)) return take(*ack);
  // Accepted: of a sign of life, or of the farewell.
  if (leave_id_ != 0 && answers == leave_id_) around_.tell(LeaveAccepted{});
}

void SiteLink::take(const net::Welcome& welcome) {
  if (const auto refusal = net::check_version(welcome.version, net::kSpokenVersions)) {
    (void)send(*refusal);
    return end(
        {.is_final = true, .needs_mending = true, .code = refusal->code, .text = refusal->text});
  }
  welcome_ = welcome;
  join();
}

void SiteLink::take(const net::Refusal& refusal, std::uint64_t answers) {
  logger("trainer")->warn("{}", said(refusal));
  if (ends_connection(refusal.code)) {
    const bool is_final = is_for_good(refusal.code);
    return end({.is_final = is_final,
                .needs_mending = is_final,
                .code = refusal.code,
                .text = said(refusal)});
  }
  if (leave_id_ != 0 && answers == leave_id_) return around_.tell(LeaveAccepted{});
  if (upload_ && upload_->is_about(answers)) return refuse_upload(refusal);
  if (stage_ != Stage::kJoined) end({.code = refusal.code, .text = said(refusal)});
}

void SiteLink::take(const net::JobOffer& offer, std::uint64_t id) {
  if (stage_ != Stage::kAsking && stage_ != Stage::kJoining) {
    return end({.code = RefusalCode::kUnexpected, .text = "the server offers a job unasked"});
  }
  offer_id_ = id;
  const bool is_enrolled = stage_ == Stage::kJoining;
  stage_ = is_enrolled ? Stage::kJoined : Stage::kThinking;
  around_.tell(JobCame{.welcome = welcome_, .offer = offer, .is_enrolled = is_enrolled});
  announce_if_due();
  leave_if_wanted();
}

void SiteLink::on_drained() { pump(); }

void SiteLink::on_tick() {
  if (!is_connected() || stage_ == Stage::kEnding) return;
  const Time now = around_.now();
  if (stage_ == Stage::kGreeting) {
    if (now - opened_ > kWelcomePatience) connection_->abort("the server does not say Welcome");
    return;
  }
  announce_if_due();
  heartbeat(now);
}

void SiteLink::heartbeat(Time now) {
  const auto& connection = *connection_;
  // A sign of life waits behind our own chunks: on a slow link what the server takes is an answer.
  const auto newest = std::max(connection.last_heard(), connection.last_taken());
  if (unanswered_ && newest > *unanswered_) unanswered_.reset();
  const std::chrono::milliseconds liveness(welcome_.liveness_ms);
  if (unanswered_ && now - *unanswered_ > liveness) {
    return connection_->abort(fmt::format("the server has answered no sign of life for {:.3g} s",
                                          std::chrono::duration<double>(liveness).count()));
  }
  if (now - sent_ < std::chrono::milliseconds(welcome_.heartbeat_ms)) return;
  net::Progress progress = around_.progress();
  if (progress.activity != net::Activity::kTraining) {
    if (download_ && download_->stream() != 0) progress.activity = net::Activity::kReceiving;
    if (upload_ && upload_->is_announced()) progress.activity = net::Activity::kSending;
  }
  (void)send(progress);
  if (!unanswered_) unanswered_ = now;
}

void SiteLink::on_closed(const std::string& why) {
  // In TLS 1.3 the server looks at our certificate when our handshake is over.
  const bool is_refused = stage_ == Stage::kGreeting && refuses_certificate(why);
  connection_.reset();
  stage_ = Stage::kClosed;
  if (upload_) upload_->withdraw();
  if (download_) download_->detach();
  download_waits_ = false;
  LinkEnded ended = ended_.value_or(LinkEnded{.text = why.empty() ? "the connection ended" : why});
  ended.is_final = ended.is_final || is_refused;
  ended.needs_mending = ended.needs_mending || is_refused;
  ended.is_done = is_done_;
  ended.liveness_ms = welcome_.liveness_ms;
  around_.tell(std::move(ended));
}

std::uint64_t SiteLink::send(const net::Message& message, std::uint64_t answers) {
  sent_ = around_.now();
  return connection_->send(message, answers);
}

void SiteLink::end(LinkEnded why) {
  stage_ = Stage::kEnding;
  ended_ = std::move(why);
  connection_->close();
}

}  // namespace convoy::trainer
