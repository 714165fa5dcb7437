// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/site_session.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <variant>

#include "base/log.h"
#include "scheduler/journal/storage_error.h"
#include "scheduler/net/internal/log_limit.h"
#include "scheduler/net/versions.h"

namespace convoy::net {
namespace {

using scheduler::journal::PostponedUpload;
using scheduler::journal::RefusedUpload;
using scheduler::journal::StorageError;
using scheduler::journal::Upload;

/// What a site may send ahead of what is written: chunks are written as they come, so this only
/// bounds what lies in the sockets.
constexpr std::int64_t kUploadWindow = std::int64_t{8} << 20;
/// Of a stream to the site that waits in its connection.
constexpr std::size_t kQueuedBytes = std::size_t{1} << 20;
/// In a minute, that one connection may cause.
constexpr std::size_t kLogLines = 20;
/// Between two lines that say that an upload must wait.
constexpr std::chrono::minutes kTellPostponed{10};

StreamSource source_of(SharedBytes bytes) {
  return [bytes = std::move(bytes)](std::int64_t offset, std::span<std::byte> out) {
    std::memcpy(out.data(), bytes->data() + offset, out.size());
  };
}

}  // namespace

/// An update on its way to the store.
struct SiteSession::Incoming {
  UploadBegin announced;
  std::uint64_t stream = 0;
  Upload upload;
  std::int64_t begun_at = 0;  ///< what was on stable storage before
  std::int64_t limit = 0;
};

SiteSession::SiteSession(std::shared_ptr<Connection> connection, Welcome welcome,
                         scheduler::journal::PayloadStore& store, ServerCore& core)
    : connection_(std::move(connection)),
      welcome_(std::move(welcome)),
      store_(store),
      core_(core),
      address_(connection_->address()),
      heard_(std::chrono::steady_clock::now()),
      taken_(heard_.load()),
      log_limit_(std::make_unique<internal::LogLimit>(kLogLines)) {}

SiteSession::~SiteSession() = default;

void SiteSession::post(std::function<void(SiteSession&)> task) {
  connection_->post([self = shared_from_this(), task = std::move(task)] {
    if (!self->is_over_) task(*self);
  });
}

void SiteSession::answer(std::uint64_t id, Message message) {
  post([id, message = std::move(message)](SiteSession& self) {
    if (const auto* refusal = std::get_if<Refusal>(&message)) {
      return self.refuse(id, refusal->code, refusal->text);
    }
    self.connection_->send(message, id);
  });
}

void SiteSession::dispatch(const Dispatch& round, const ModelBegin& model, SharedBytes stream) {
  post([round, model, stream = std::move(stream)](SiteSession& self) {
    self.connection_->send(round);
    if (stream) self.begin_stream(model, stream);
  });
}

void SiteSession::send_stream(const ModelBegin& begin, SharedBytes stream) {
  post(
      [begin, stream = std::move(stream)](SiteSession& self) { self.begin_stream(begin, stream); });
}

void SiteSession::accept_upload(std::uint64_t id, const UploadBegin& update) {
  post([id, update](SiteSession& self) { self.begin_upload(id, update); });
}

void SiteSession::end(const Refusal& refusal) {
  post([refusal](SiteSession& self) {
    self.incoming_.reset();  // the site may go on with it over another connection
    self.refuse(0, refusal.code, refusal.text);
    self.connection_->close();
  });
}

void SiteSession::end(const std::string& goodbye) {
  post([goodbye](SiteSession& self) {
    self.incoming_.reset();
    self.connection_->send(Goodbye{as_text(goodbye)});
    self.connection_->close();
  });
}

void SiteSession::refuse(std::uint64_t id, RefusalCode code, const std::string& text) {
  log_refusal(code, text);
  connection_->send(Refusal{.code = code, .text = as_text(text)}, id);
}

void SiteSession::fail(std::uint64_t id, const std::exception& error) {
  incoming_.reset();
  log_refusal(RefusalCode::kFailed, error.what());
  connection_->send(Refusal{RefusalCode::kFailed, "the server's disk has not taken it"}, id);
}

/// The site asks again and again. As in fail(), it is told none of the server's files.
void SiteSession::postpone(std::uint64_t id, const std::string& why) {
  const auto now = std::chrono::steady_clock::now();
  if (!told_postponed_ || now - *told_postponed_ >= kTellPostponed) {
    told_postponed_ = now;
    log_refusal(RefusalCode::kNotNow, why);
  }
  connection_->send(Refusal{RefusalCode::kNotNow,
                            "the server has too little room, or is still receiving this update or "
                            "others of the site"},
                    id);
}

void SiteSession::log_refusal(RefusalCode code, const std::string& why) {
  warn(fmt::format("refused {} at {}: {}: {}", name(), address_, to_text(code), why));
}

void SiteSession::warn(const std::string& line) {
  const auto now = std::chrono::steady_clock::now();
  if (const auto left_out = log_limit_->take_left_out(now); left_out > 0) {
    logger("net")->warn("{} at {}: {} more refusals in a minute", name(), address_, left_out);
  }
  if (log_limit_->admit("", now)) logger("net")->warn("{}", line);
}

void SiteSession::on_message(const Message& message, std::uint64_t id, std::uint64_t answers) {
  heard_ = connection_->last_heard();
  const auto self = shared_from_this();
  if (const auto* hello = std::get_if<Hello>(&message)) return take(*hello, id);
  if (const auto* join = std::get_if<Join>(&message)) return core_.on_join(self, id, *join);
  if (const auto* update = std::get_if<UploadBegin>(&message)) return take(*update, id);
  if (const auto* offset = std::get_if<StreamOffset>(&message)) return take(*offset);
  if (const auto* end = std::get_if<StreamEnd>(&message)) return take(*end, id);
  if (const auto* refusal = std::get_if<Refusal>(&message)) return take(*refusal, answers);
  if (const auto* progress = std::get_if<Progress>(&message)) {
    connection_->send(Accepted{}, id);
    return core_.on_progress(self, *progress);
  }
  if (const auto* leave = std::get_if<Leave>(&message)) return core_.on_leave(self, id, *leave);
  if (const auto* request = std::get_if<StatusRequest>(&message)) {
    return core_.on_status_request(self, id, *request);
  }
  if (const auto* command = std::get_if<Command>(&message)) {
    return core_.on_command(self, id, *command);
  }
  if (const auto* goodbye = std::get_if<Goodbye>(&message)) {
    if (!goodbye->text.empty()) {
      logger("net")->info("{} {} at {} has gone: {}", to_text(connection_->peer().role), name(),
                          address_, as_text(goodbye->text));
    }
    return connection_->close();
  }
  refuse(id, RefusalCode::kUnexpected, "this message does not belong here");
}

/// Who it says it is must be who its certificate says.
void SiteSession::take(const Hello& hello, std::uint64_t id) {
  const PeerIdentity& peer = connection_->peer();
  const Party party = peer.role == Role::kOperator ? Party::kOperator : Party::kSite;
  const auto version = common_version(kSpokenVersions, hello.versions);
  std::optional<Refusal> refusal;
  if (hello.name != peer.name || hello.party != party) {
    refusal = Refusal{RefusalCode::kNotAllowed,
                      fmt::format("this is the certificate of the {} {}, not of {} {}",
                                  to_text(peer.role), peer.name, to_text(hello.party), hello.name)};
  } else if (const auto* none = std::get_if<Refusal>(&version)) {
    refusal = *none;
  }
  if (refusal) {
    refuse(id, refusal->code, refusal->text);
    return connection_->close();
  }
  instance_ = hello.instance;
  is_greeted_ = true;
  Welcome welcome = welcome_;
  welcome.version = std::get<std::uint32_t>(version);
  connection_->send(welcome, id);
}

void SiteSession::take(const UploadBegin& update, std::uint64_t id) {
  incoming_.reset();  // what has come of another one stays in the store
  const auto self = shared_from_this();
  if (update.finite) return core_.on_announced(self, id, update);
  core_.on_uploaded(self, id, update);
}

void SiteSession::begin_upload(std::uint64_t id, const UploadBegin& update) {
  incoming_.reset();
  try {
    Upload upload = store_.begin({.site = name(),
                                  .id = update.update_id,
                                  .bytes = static_cast<std::uint64_t>(update.bytes),
                                  .sha256 = update.sha256});
    if (upload.is_finished()) return core_.on_uploaded(shared_from_this(), id, update);
    const auto offset = static_cast<std::int64_t>(upload.offset());
    const std::int64_t limit = std::min(update.bytes, offset + kUploadWindow);
    incoming_ = std::make_unique<Incoming>(Incoming{update, id, std::move(upload), offset, limit});
    connection_->send(StreamOffset{.stream = id, .offset = offset, .limit = limit}, id);
  } catch (const PostponedUpload& error) {
    postpone(id, error.what());
  } catch (const RefusedUpload& error) {
    refuse(id, RefusalCode::kBadUpdate, error.what());
  } catch (const StorageError& error) {
    fail(id, error);
  }
}

void SiteSession::on_chunk(const Chunk& chunk) {
  heard_ = connection_->last_heard();
  // Chunks of an upload that was given up are still on their way.
  if (!incoming_ || chunk.stream != incoming_->stream) return;
  Incoming& incoming = *incoming_;
  const auto expected = static_cast<std::int64_t>(incoming.upload.offset());
  if (chunk.offset != expected || chunk.offset + std::ssize(chunk.bytes) > incoming.limit) {
    return end_upload(
        {RefusalCode::kBadStream, fmt::format("offset: a chunk at {} where {} comes next, up to {}",
                                              chunk.offset, expected, incoming.limit)});
  }
  try {
    incoming.upload.write(chunk.bytes);
  } catch (const RefusedUpload& error) {
    return end_upload({RefusalCode::kBadUpdate, as_text(error.what())});
  } catch (const StorageError& error) {
    return fail(incoming_->stream, error);
  }
  const auto written = static_cast<std::int64_t>(incoming.upload.offset());
  if (incoming.limit < incoming.announced.bytes && incoming.limit - written <= kUploadWindow / 2) {
    incoming.limit = std::min(incoming.announced.bytes, written + kUploadWindow);
    // What has come since may not be on stable storage yet.
    connection_->send(StreamOffset{
        .stream = incoming.stream, .offset = incoming.begun_at, .limit = incoming.limit});
  }
}

void SiteSession::take(const StreamEnd& end, std::uint64_t id) {
  if (!incoming_ || end.stream != incoming_->stream) return;
  try {
    incoming_->upload.finish();
  } catch (const RefusedUpload& error) {
    return end_upload({RefusalCode::kBadStream, as_text(error.what())});
  } catch (const StorageError& error) {
    return fail(incoming_->stream, error);
  }
  const UploadBegin update = incoming_->announced;
  incoming_.reset();
  core_.on_uploaded(shared_from_this(), id, update);
}

void SiteSession::end_upload(const Refusal& refusal) {
  const std::uint64_t stream = incoming_->stream;
  incoming_.reset();
  refuse(stream, refusal.code, refusal.text);
}

void SiteSession::begin_stream(const ModelBegin& begin, SharedBytes stream) {
  const auto bytes = static_cast<std::int64_t>(stream->size());
  StreamSender sender(bytes, source_of(stream), begin.sha256);
  const std::uint64_t id = connection_->send(begin);
  outgoing_ = std::make_unique<Outgoing>(
      Outgoing{begin, id, std::move(stream), std::move(sender), false, false});
}

void SiteSession::take(const StreamOffset& offset) {
  if (!outgoing_ || offset.stream != outgoing_->stream) return;
  Outgoing& out = *outgoing_;
  const auto error = out.is_started ? out.sender.allow(offset.offset, offset.limit)
                                    : out.sender.start(offset.offset, offset.limit);
  if (error) {
    refuse(out.stream, RefusalCode::kBadStream, error->reason);
    outgoing_.reset();
    return;
  }
  out.is_started = true;
  const bool is_whole = out.is_sent && offset.offset == out.begin.bytes;
  if (is_whole && out.begin.kind == StreamKind::kFinalModel) {
    core_.on_final_received(shared_from_this());
    outgoing_.reset();
    connection_->send(Goodbye{"the run is over"});
    return connection_->close();
  }
  pump();
}

void SiteSession::pump() {
  if (!outgoing_ || !outgoing_->is_started || outgoing_->is_sent) return;
  Outgoing& out = *outgoing_;
  while (connection_->queued_bytes() < kQueuedBytes) {
    const auto piece = out.sender.next();
    if (!piece) break;
    connection_->send_chunk({.stream = out.stream, .offset = piece->offset, .bytes = piece->bytes});
  }
  if (!out.sender.at_end()) return;
  connection_->send(StreamEnd{.stream = out.stream, .sha256 = out.begin.sha256});
  out.is_sent = true;
  if (out.begin.kind != StreamKind::kFinalModel) outgoing_.reset();
}

void SiteSession::on_drained() { pump(); }

void SiteSession::on_tick() {
  heard_ = connection_->last_heard();
  taken_ = connection_->last_taken();
  const std::chrono::milliseconds most(welcome_.liveness_ms);
  if (!is_greeted_ || std::chrono::steady_clock::now() - heard_.load() <= most) return;
  connection_->abort(
      fmt::format("silent for {:.3g} s", std::chrono::duration<double>(most).count()));
}

void SiteSession::take(const Refusal& refusal, std::uint64_t answers) {
  if (outgoing_ && answers == outgoing_->stream) outgoing_.reset();
  warn(fmt::format("{} at {} refuses: {}: {}", name(), address_, to_text(refusal.code),
                   as_text(refusal.text)));
  core_.on_refusal(shared_from_this(), refusal);
}

void SiteSession::on_closed(const std::string& why) {
  is_over_ = true;
  incoming_.reset();
  outgoing_.reset();
  core_.on_closed(shared_from_this(), why);
}

}  // namespace convoy::net
