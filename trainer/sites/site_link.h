// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/sha256.h"
#include "scheduler/net/connection.h"
#include "scheduler/net/message_codec.h"
#include "trainer/sites/download.h"
#include "trainer/sites/link_events.h"
#include "trainer/sites/upload.h"

namespace convoy::trainer {

/// Who speaks.
struct LinkIdentity {
  std::string site;
  std::string instance;  ///< of this process, at random
  std::string software;
};

/// A site's end of its connections to the server, one after the other: greets, joins, receives
/// models into memory, sends the update that it is offered, and signs of life. What must outlive a
/// connection does. Everything is called where the connection's calls run, and in between from one
/// thread.
class SiteLink final : public net::ConnectionUser {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Surroundings {
    /// What the server has said, for whoever trains; called within the connection's calls.
    std::function<void(LinkEvent)> tell;
    /// What the site does, for its signs of life: training and the round, or idle. Any thread.
    std::function<net::Progress()> progress;
    std::function<Time()> now = std::chrono::steady_clock::now;
  };

  SiteLink(LinkIdentity identity, Surroundings surroundings);

  /// Begins to speak over a new connection. on_closed() has come from the one before.
  void open(std::shared_ptr<net::Connection> connection);

  /// The site has read its data as the job of `run` says: it joins, now and whenever it is
  /// connected. held_version, pending_update and open_round are the link's to fill in.
  void join_as(const std::string& run, net::Join join);
  /// The site will not train this job; ends the connection.
  void refuse_job(net::RefusalCode code, const std::string& text);
  /// The next model may come, of up to so many bytes; those after it wait for further calls. The
  /// final one waits for the first call only.
  void take_model(std::int64_t most_bytes);
  /// The file with the model's TorchScript may come, of this hash: no byte of another one does, and
  /// the job is refused.
  void take_script(std::int64_t most_bytes, const Sha256& sha256);
  /// The version that the site holds, its hash checked; none: nothing.
  void hold(std::optional<std::int64_t> version) { held_ = version; }
  /// That it is training, or about to.
  void work_on(std::optional<std::int64_t> round) { round_ = round; }
  /// The model of this round was no good: the server sends it again.
  void refuse_model(const RoundCame& round, const std::string& text);
  /// Sends it until the server has answered; there is no other one. Where it is to be given up
  /// though the server waits for its round, the connection ends too.
  void offer(OfferedUpdate update);
  /// The final model is on disk.
  void keep_final(const ReceivedStream& model);
  void leave(net::LeaveReason reason, const std::string& text);
  /// Ends the connection in good order.
  void say_goodbye(const std::string& text);

  void on_message(const net::Message& message, std::uint64_t id, std::uint64_t answers) override;
  void on_chunk(const net::Chunk& chunk) override;
  void on_drained() override;
  void on_tick() override;
  void on_closed(const std::string& why) override;

 private:
  enum class Stage : std::uint8_t {
    kClosed,
    kGreeting,  ///< Hello is out
    kAsking,    ///< what the job is
    kThinking,  ///< the job is known, and the site reads its data
    kJoining,
    kJoined,
    kEnding  ///< nothing counts any more
  };

  void take(const net::Welcome& welcome);
  void take(const net::Refusal& refusal, std::uint64_t answers);
  void take(const net::JobOffer& offer, std::uint64_t id);
  void join();
  void leave_if_wanted();
  void heartbeat(Time now);
  std::uint64_t send(const net::Message& message, std::uint64_t answers = 0);
  void end(LinkEnded why);
  [[nodiscard]] bool is_connected() const { return connection_ != nullptr; }

  // site_link_streams.cpp
  void take(const net::Dispatch& dispatch, std::uint64_t id);
  void take(const net::ModelBegin& begin, std::uint64_t id);
  void take(const net::StreamEnd& end);
  void begin_download();
  void end_download();
  void fail_download(const std::string& why);
  [[nodiscard]] std::optional<std::int64_t> most_bytes(net::StreamKind kind) const;
  void take(const net::StreamOffset& offset);
  void take(const net::UploadAck& ack);
  void announce_if_due();
  void pump();
  void answer_upload(bool is_accepted, const std::string& text);
  void refuse_upload(const net::Refusal& refusal);

  const LinkIdentity identity_;
  const Surroundings around_;

  // Over all connections.
  std::string run_;  ///< that join_ is for
  std::optional<net::Join> join_;
  std::optional<std::int64_t> held_;
  std::optional<std::int64_t> round_;
  std::optional<Upload> upload_;
  std::optional<Download> download_;
  std::optional<std::int64_t> most_model_bytes_;
  std::optional<std::int64_t> most_script_bytes_;
  Sha256 script_sha256_{};
  bool takes_model_ = false;
  std::optional<net::Leave> leave_;
  bool is_done_ = false;  ///< the final model is here
  std::uint64_t connections_ = 0;

  // Of this connection.
  std::shared_ptr<net::Connection> connection_;  // with its own thread
  Stage stage_ = Stage::kClosed;
  net::Welcome welcome_;
  std::uint64_t offer_id_ = 0;  ///< of the newest JobOffer
  std::uint64_t leave_id_ = 0;
  std::optional<std::int64_t> known_;  ///< version that the server does not send again
  std::optional<RoundCame> waiting_;   ///< for its model
  bool download_waits_ = false;        ///< for take_model() or take_script()
  Time opened_{};
  Time sent_{};                     ///< the newest frame
  std::optional<Time> unanswered_;  ///< the oldest Progress since the server was heard
  std::optional<LinkEnded> ended_;  ///< why, for on_closed()
};

}  // namespace convoy::trainer
