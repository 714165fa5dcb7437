// SPDX-License-Identifier: Apache-2.0
// SiteLink's streams: models that come, and the update that goes.
#include <spdlog/fmt/fmt.h>

#include <exception>
#include <utility>

#include "base/errors.h"
#include "base/log.h"
#include "trainer/sites/site_link.h"

namespace convoy::trainer {
namespace {

using net::RefusalCode;

/// Before an update is offered again that the server could not take.
constexpr std::chrono::seconds kRetry{3};
constexpr int kMostBadStreams = 3;

}  // namespace

void SiteLink::take(const net::Dispatch& dispatch, std::uint64_t id) {
  if (stage_ != Stage::kJoined) {
    return end({.code = RefusalCode::kUnexpected, .text = "the server sends work before its time"});
  }
  RoundCame round{.dispatch = dispatch, .id = id, .connection = connections_, .model = {}};
  if (known_ == dispatch.version) return around_.tell(std::move(round));
  waiting_ = std::move(round);
}

void SiteLink::take_model(std::int64_t most_bytes) {
  most_model_bytes_ = most_bytes;
  takes_model_ = true;
  if (download_waits_) begin_download();
}

void SiteLink::take_script(std::int64_t most_bytes, const Sha256& sha256) {
  most_script_bytes_ = most_bytes;
  script_sha256_ = sha256;
  if (download_waits_) begin_download();
}

void SiteLink::refuse_model(const RoundCame& round, const std::string& text) {
  // On another connection the server has been told what is held here.
  if (round.connection != connections_ || stage_ != Stage::kJoined) return;
  known_.reset();
  (void)send(net::Refusal{.code = RefusalCode::kBadStream, .text = net::as_text(text)},
             round.model ? round.model->stream : round.id);
  if (waiting_) return;
  waiting_ = RoundCame{
      .dispatch = round.dispatch, .id = round.id, .connection = round.connection, .model = {}};
}

void SiteLink::keep_final(const ReceivedStream& model) {
  is_done_ = true;
  if (model.connection != connections_ || !is_connected() || stage_ == Stage::kEnding) return;
  (void)send(net::StreamOffset{
      .stream = model.stream, .offset = model.begin.bytes, .limit = model.begin.bytes});
}

std::optional<std::int64_t> SiteLink::most_bytes(net::StreamKind kind) const {
  if (kind == net::StreamKind::kTorchScript) return most_script_bytes_;
  if (kind == net::StreamKind::kModel && !takes_model_) return std::nullopt;
  return most_model_bytes_;
}

void SiteLink::take(const net::ModelBegin& begin, std::uint64_t id) {
  if (!download_ || !download_->continues(begin)) download_.emplace(begin);
  download_->attach(begin, id);
  begin_download();
}

void SiteLink::begin_download() {
  const auto most = most_bytes(download_->begin().kind);
  download_waits_ = !most;
  if (!most) return;
  const net::ModelBegin& begin = download_->begin();
  if (begin.kind == net::StreamKind::kTorchScript && begin.sha256 != script_sha256_) {
    download_.reset();
    return refuse_job(RefusalCode::kSitePolicy,
                      "the server sends another TorchScript file than it has said");
  }
  if (begin.bytes > *most) {
    return fail_download(fmt::format("{} bytes are more than this job's model has, which is {}",
                                     begin.bytes, *most));
  }
  (void)send(download_->take_more(), download_->stream());
}

void SiteLink::on_chunk(const net::Chunk& chunk) {
  unanswered_.reset();
  // Others are of a stream that was refused, and were on their way.
  if (!is_connected() || !download_ || chunk.stream != download_->stream()) return;
  if (const auto error = download_->take(chunk)) return fail_download(error->reason);
  if (const auto more = download_->take_more_if_due()) (void)send(*more);
}

void SiteLink::take(const net::StreamEnd& end) {
  if (!download_ || end.stream != download_->stream()) return;
  if (const auto error = download_->finish(end)) return fail_download(error->reason);
  end_download();
}

void SiteLink::end_download() {
  ReceivedStream whole{.begin = download_->begin(),
                       .stream = download_->stream(),
                       .connection = connections_,
                       .bytes = download_->take_bytes()};
  download_.reset();
  if (whole.begin.kind == net::StreamKind::kFinalModel) {
    return around_.tell(FinalCame{std::move(whole)});
  }
  if (whole.begin.kind == net::StreamKind::kTorchScript) {
    return around_.tell(ScriptCame{std::move(whole)});
  }
  known_ = whole.begin.version;
  if (!waiting_ || waiting_->dispatch.version != whole.begin.version) {
    logger("trainer")->warn("a model of version {} came that no round needs", whole.begin.version);
    return;
  }
  takes_model_ = false;
  RoundCame round = std::move(*waiting_);
  waiting_.reset();
  round.model = std::move(whole);
  around_.tell(std::move(round));
}

void SiteLink::fail_download(const std::string& why) {
  logger("trainer")->warn("a stream from the server is of no use: {}", why);
  (void)send(net::Refusal{.code = RefusalCode::kBadStream, .text = net::as_text(why)},
             download_->stream());
  download_.reset();
  download_waits_ = false;
}

void SiteLink::offer(OfferedUpdate update) {
  require(!upload_, "SiteLink: one update at a time");
  upload_.emplace(std::move(update));
  announce_if_due();
}

void SiteLink::announce_if_due() {
  if (stage_ != Stage::kJoined || !upload_ || !upload_->is_due(around_.now())) return;
  if (upload_->offered().run != welcome_.run) {
    return answer_upload(false, "the server has begun another run");
  }
  upload_->announce(*connection_);
  sent_ = around_.now();
}

void SiteLink::take(const net::StreamOffset& offset) {
  if (!upload_ || offset.stream != upload_->stream()) return;
  if (const auto error = upload_->allow(offset)) {
    return end({.code = RefusalCode::kUnexpected, .text = error->reason});
  }
  pump();
}

void SiteLink::pump() {
  if (!is_connected() || stage_ == Stage::kEnding || !upload_) return;
  try {
    if (upload_->pump(*connection_)) sent_ = around_.now();
  } catch (const std::exception& error) {  // of the outbox's disk
    end({.is_final = true, .text = error.what()});
  }
}

void SiteLink::take(const net::UploadAck& ack) {
  if (!upload_ || ack.update_id != upload_->offered().begin.update_id) return;
  answer_upload(true, ack.duplicate ? "the server had it already" : "");
}

void SiteLink::refuse_upload(const net::Refusal& refusal) {
  upload_->withdraw();
  const bool is_stream = refusal.code == RefusalCode::kBadStream;
  if (refusal.code == RefusalCode::kOutOfRound || refusal.code == RefusalCode::kBadUpdate ||
      (is_stream && upload_->count_bad_stream() >= kMostBadStreams)) {
    answer_upload(false, net::as_text(refusal.text));
    // The server still waits for the round: it gives it out again to who joins without it.
    if (refusal.code != RefusalCode::kOutOfRound) say_goodbye("an update was given up");
    return;
  }
  upload_->wait_until(around_.now() + (is_stream ? std::chrono::seconds(0) : kRetry));
}

void SiteLink::answer_upload(bool is_accepted, const std::string& text) {
  UpdateAnswered answer{
      .id = upload_->offered().begin.update_id, .is_accepted = is_accepted, .text = text};
  upload_.reset();
  around_.tell(std::move(answer));
}

}  // namespace convoy::trainer
