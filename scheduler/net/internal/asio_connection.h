// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/net/connection.h"
#include "scheduler/net/internal/engine.h"
#include "scheduler/net/internal/intake.h"
#include "scheduler/net/internal/send_queue.h"
#include "scheduler/net/internal/tls_stream.h"
#include "scheduler/net/peer_verifier.h"

namespace convoy::net::internal {

/// A connection after its handshake. All of it runs on its strand; what waits there shares it.
///
/// States: open; closing (what is queued is sent, nothing more is queued, what comes is dropped);
/// lingering (this end has said its end and waits a moment for the other's, since closing a socket
/// with unread bytes in it would take from the peer what it has not read yet); ended.
class AsioConnection final : public Connection,
                             public std::enable_shared_from_this<AsioConnection> {
 public:
  struct Parts {
    std::shared_ptr<Engine> engine;
    Socket socket;  ///< its executor is the strand
    std::unique_ptr<TlsStream> tls;
    std::string address;
    ConnectionLimits limits;
  };

  explicit AsioConnection(Parts parts);

  using MakeUser = std::function<std::shared_ptr<ConnectionUser>()>;
  /// Begins to read. On the strand. @param make_user  may refuse() or close() and return none.
  /// @param ended  called once, after on_closed().
  void start(const MakeUser& make_user, std::function<void()> ended);
  /// start(), from any thread.
  void begin(MakeUser make_user, std::function<void()> ended);
  /// Tells the peer, logs it, and closes. On the strand. @param answers  the peer's frame; 0: none.
  void refuse(const net::Refusal& refusal, std::uint64_t answers);
  /// refuse(), and who calls has logged it.
  void turn_away(const net::Refusal& refusal, std::uint64_t answers);
  /// Why the verifier would not accept the peer by now. On the strand.
  [[nodiscard]] std::optional<std::string> refusal_by(const PeerVerifier& verifier) const;
  /// Ends the connection if there is such a reason, and logs it. On the strand.
  void end_if_refused(const PeerVerifier& verifier);
  /// on_closed() is being called, or was. Any thread.
  [[nodiscard]] bool is_over() const { return is_over_; }

  void post(std::function<void()> task) override;
  std::uint64_t send(const Message& message, std::uint64_t answers) override;
  void send_chunk(const Chunk& chunk) override;
  [[nodiscard]] std::size_t queued_bytes() const override { return queue_.bytes(); }
  void close() override;
  void abort(const std::string& why) override;
  [[nodiscard]] const PeerIdentity& peer() const override { return peer_; }
  [[nodiscard]] std::string address() const override { return address_; }
  [[nodiscard]] Clock::time_point last_heard() const override { return heard_; }
  [[nodiscard]] Clock::time_point last_taken() const override { return acknowledged_; }

 private:
  enum class State : std::uint8_t { kOpen, kClosing, kLingering, kEnded };

  // asio_connection.cpp: life, calls of the user, deadlines.
  void guarded(const std::function<void()>& step);
  void call_user(const std::function<void(ConnectionUser&)>& call);
  void timed(const std::function<void()>& step);
  void start_timer();
  void on_timer();
  [[nodiscard]] std::string lateness() const;
  void give_up(const std::string& why);
  void end(const std::string& why);
  void finish();
  [[nodiscard]] Clock::time_point own_time() const;

  // asio_connection_io.cpp: bytes.
  void wait_to_read();
  void wait_to_write();
  void read_some();
  bool take(std::span<const std::byte> bytes);
  void take(Received&& received);
  void on_peers_end();
  void on_read_failure();
  void queue_has_grown();
  void check_queue();
  void write_some();
  void write_queue();
  void look_at_socket();
  void on_all_written();
  void say_end();

  const std::shared_ptr<Engine> engine_;  // shared with the owner and its other connections
  Socket socket_;
  const std::unique_ptr<TlsStream> tls_;
  const std::string address_;
  const ConnectionLimits limits_;
  const PeerIdentity peer_;
  Timer timer_;
  std::shared_ptr<ConnectionUser> user_;
  std::function<void()> ended_;

  State state_ = State::kOpen;
  std::optional<std::string> reason_;  // of the end, once it is known
  bool is_finished_ = false;
  std::atomic<bool> is_over_ = false;

  Intake intake_;
  std::vector<std::byte> record_;  // what TLS has decrypted
  SendQueue queue_;
  std::string write_problem_;  // nothing can be written; what the peer said before is read still
  bool waits_to_read_ = false;
  bool waits_to_write_ = false;
  bool write_is_due_ = false;  // write_some() is posted
  bool read_needs_write_ = false;
  bool write_needs_read_ = false;

  Clock::time_point heard_ = Clock::now();
  Clock::time_point acknowledged_ = heard_;
  std::uint64_t acknowledged_bytes_ = 0;  // then
  Clock::duration in_user_{};             // time spent in the user's calls
  // On the clock of own_time():
  Clock::time_point started_;
  Clock::time_point taken_;    // the peer took something, or the queue began
  Clock::time_point leaving_;  // close() or an error that cannot be written
};

/// "10.0.0.7:41532", "[::1]:7443".
[[nodiscard]] std::string text_of(const Tcp::endpoint& endpoint);

}  // namespace convoy::net::internal
