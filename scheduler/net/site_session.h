// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/journal/payload_store.h"
#include "scheduler/net/connection.h"
#include "scheduler/net/server_core.h"
#include "scheduler/net/stream_sender.h"

namespace convoy::net {

namespace internal {
class LogLimit;
}

/// A stream's bytes; shared by the sessions that send them and by whoever made them.
using SharedBytes = std::shared_ptr<const std::vector<std::byte>>;

/// The server's end of one connection with a site or an operator: greets, takes uploads into the
/// payload store, sends models, and passes the rest on to the core. Holds at most a chunk of what
/// comes, and two of what goes.
class SiteSession final : public ConnectionUser, public std::enable_shared_from_this<SiteSession> {
 public:
  /// Borrows store and core. @param welcome  what every connection is told.
  SiteSession(std::shared_ptr<Connection> connection, Welcome welcome,
              scheduler::journal::PayloadStore& store, ServerCore& core);
  ~SiteSession() override;

  // Of the peer; after the greeting, any thread.
  [[nodiscard]] const std::string& name() const { return connection_->peer().name; }
  [[nodiscard]] Role role() const { return connection_->peer().role; }
  [[nodiscard]] const std::string& instance() const { return instance_; }
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] std::chrono::steady_clock::time_point last_heard() const { return heard_.load(); }

  /// When the peer's system had taken 64 KiB more of what was sent.
  [[nodiscard]] std::chrono::steady_clock::time_point last_taken() const { return taken_.load(); }
  /// Adds to what the peer has asked for and the core has not done yet. @return how much that is.
  int count_tasks(int more) { return tasks_ += more; }

  // The core's answers and orders; any thread. After the end of the connection they do nothing.
  void answer(std::uint64_t id, Message message);
  /// @param stream  what `model` announces; null: the site holds the model.
  void dispatch(const Dispatch& round, const ModelBegin& model, SharedBytes stream);
  /// A whole stream of another kind. After kFinalModel the connection ends.
  void send_stream(const ModelBegin& begin, SharedBytes stream);
  /// The bytes of the announced update may come.
  void accept_upload(std::uint64_t id, const UploadBegin& update);
  /// Says why, and ends the connection.
  void end(const Refusal& refusal);
  void end(const std::string& goodbye);

  void on_message(const Message& message, std::uint64_t id, std::uint64_t answers) override;
  void on_chunk(const Chunk& chunk) override;
  void on_drained() override;
  void on_tick() override;
  void on_closed(const std::string& why) override;

 private:
  struct Incoming;
  struct Outgoing {
    ModelBegin begin;
    std::uint64_t stream = 0;
    SharedBytes bytes;
    StreamSender sender;
    bool is_started = false;  ///< the site has said what it takes
    bool is_sent = false;
  };

  void take(const Hello& hello, std::uint64_t id);
  void take(const UploadBegin& update, std::uint64_t id);
  void take(const StreamOffset& offset);
  void take(const StreamEnd& end, std::uint64_t id);
  void take(const Refusal& refusal, std::uint64_t answers);
  void begin_stream(const ModelBegin& begin, SharedBytes stream);
  void begin_upload(std::uint64_t id, const UploadBegin& update);
  void end_upload(const Refusal& refusal);
  void pump();
  void refuse(std::uint64_t id, RefusalCode code, const std::string& text);
  /// Logs `error`, which may name the server's files, and tells the site none of that.
  void fail(std::uint64_t id, const std::exception& error);
  void postpone(std::uint64_t id, const std::string& why);
  void log_refusal(RefusalCode code, const std::string& why);
  /// A line that the peer has caused, unless it has caused too many of them.
  void warn(const std::string& line);
  void post(std::function<void(SiteSession&)> task);

  const std::shared_ptr<Connection> connection_;
  const Welcome welcome_;
  scheduler::journal::PayloadStore& store_;
  ServerCore& core_;
  const std::string address_;
  std::string instance_;
  std::atomic<std::chrono::steady_clock::time_point> heard_;
  std::atomic<std::chrono::steady_clock::time_point> taken_;
  std::atomic<int> tasks_ = 0;

  // Where the connection's calls run.
  bool is_greeted_ = false;
  bool is_over_ = false;
  std::unique_ptr<Incoming> incoming_;
  std::unique_ptr<Outgoing> outgoing_;
  std::unique_ptr<internal::LogLimit> log_limit_;
  std::optional<std::chrono::steady_clock::time_point> told_postponed_;
};

}  // namespace convoy::net
