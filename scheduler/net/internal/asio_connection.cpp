// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/asio_connection.h"

#include <spdlog/fmt/chrono.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "base/log.h"

namespace convoy::net::internal {
namespace {

constexpr std::size_t kTlsRecordBytes = std::size_t{16} << 10;
/// For the other end's last bytes.
constexpr std::chrono::milliseconds kLinger{1000};

Party party_of(Role role) {
  switch (role) {
    case Role::kServer:
      return Party::kServer;
    case Role::kSite:
      return Party::kSite;
    case Role::kOperator:
      return Party::kOperator;
  }
  throw ContractError("a role that no party has");
}

}  // namespace

AsioConnection::AsioConnection(Parts parts)
    : engine_(std::move(parts.engine)),
      socket_(std::move(parts.socket)),
      tls_(std::move(parts.tls)),
      address_(std::move(parts.address)),
      limits_(parts.limits),
      peer_(identity_of_peer(tls_->ssl())),
      timer_(socket_.get_executor()),
      intake_(limits_, party_of(peer_.role)),
      record_(kTlsRecordBytes),
      started_(Clock::now()),
      taken_(started_),
      leaving_(started_) {}

void AsioConnection::start(const MakeUser& make_user, std::function<void()> ended) {
  ended_ = std::move(ended);
  timed([&] { user_ = make_user(); });
  if (state_ == State::kEnded) return;
  started_ = own_time();
  start_timer();
  guarded([&] { read_some(); });  // the handshake may have taken more from the socket than its own
}

void AsioConnection::begin(MakeUser make_user, std::function<void()> ended) {
  asio::post(socket_.get_executor(),
             [self = shared_from_this(), make_user = std::move(make_user),
              ended = std::move(ended)]() mutable { self->start(make_user, std::move(ended)); });
}

void AsioConnection::post(std::function<void()> task) {
  engine_->post(socket_.get_executor(),
                [self = shared_from_this(), task = std::move(task)] { self->timed(task); });
}

std::uint64_t AsioConnection::send(const Message& message, std::uint64_t answers) {
  if (state_ != State::kOpen) return 0;
  const auto id = queue_.add(message, answers);
  queue_has_grown();
  check_queue();
  return state_ == State::kOpen ? id : 0;
}

void AsioConnection::send_chunk(const Chunk& chunk) {
  if (state_ != State::kOpen) return;
  queue_.add(chunk);
  queue_has_grown();
  check_queue();
}

void AsioConnection::close() {
  if (state_ != State::kOpen) return;
  state_ = State::kClosing;
  leaving_ = own_time();
  queue_has_grown();  // an empty queue too: its end is where this end says goodbye
}

void AsioConnection::abort(const std::string& why) {
  if (state_ != State::kEnded) end(why);
}

void AsioConnection::refuse(const net::Refusal& refusal, std::uint64_t answers) {
  if (state_ != State::kOpen) return;
  logger("net")->warn("{} ({}): refused: {}: {}", address_, peer_.name, to_text(refusal.code),
                      as_text(refusal.text));
  turn_away(refusal, answers);
}

void AsioConnection::turn_away(const net::Refusal& refusal, std::uint64_t answers) {
  if (state_ != State::kOpen) return;
  const std::string text = as_text(refusal.text);
  reason_ = fmt::format("refused by this end: {}: {}", to_text(refusal.code), text);
  (void)send(net::Refusal{.code = refusal.code, .text = text}, answers);
  close();
}

std::optional<std::string> AsioConnection::refusal_by(const PeerVerifier& verifier) const {
  return verifier.refusal_of_peer(tls_->ssl());
}

void AsioConnection::end_if_refused(const PeerVerifier& verifier) {
  if (state_ == State::kEnded) return;
  const auto refusal = refusal_by(verifier);
  if (!refusal) return;
  logger("net")->warn("{} ({}): refused by now: {}", address_, peer_.name, *refusal);
  end(fmt::format("the {}'s certificate is not accepted any more: {}", to_text(peer_.role),
                  *refusal));
}

/// Every handler runs in here: what it throws ends its connection, and no other.
void AsioConnection::guarded(const std::function<void()>& step) {
  std::string problem;
  try {
    return step();
  } catch (const std::exception& error) {
    problem = error.what();
  } catch (...) {
    problem = "something that is no exception was thrown";
  }
  logger("net")->error("{} ({}): {}", address_, peer_.name, problem);
  abort(problem);
}

void AsioConnection::call_user(const std::function<void(ConnectionUser&)>& call) {
  if (!user_) return;
  timed([&, user = user_] { call(*user); });
}

/// Leaves the time that passes in there out of own_time(): a peer is not late because its frames
/// could not be looked at.
void AsioConnection::timed(const std::function<void()>& step) {
  const auto began = Clock::now();
  guarded(step);
  in_user_ += Clock::now() - began;
}

Clock::time_point AsioConnection::own_time() const { return Clock::now() - in_user_; }

void AsioConnection::start_timer() {
  timer_.expires_after(limits_.tick);
  timer_.async_wait([self = shared_from_this()](ErrorCode error) {
    if (!error) self->guarded([&] { self->on_timer(); });
  });
}

void AsioConnection::on_timer() {
  if (state_ == State::kEnded) return;
  look_at_socket();
  // What lies in the socket came in time, though this strand had no turn to read it.
  if (!lateness().empty()) read_some();
  if (state_ == State::kEnded) return;
  if (const auto why = lateness(); !why.empty()) give_up(why);
  if (state_ == State::kOpen) call_user([](ConnectionUser& user) { user.on_tick(); });
  if (state_ != State::kEnded) start_timer();
}

/// Which deadline has passed; "": none.
std::string AsioConnection::lateness() const {
  const auto now = own_time();
  if (state_ == State::kLingering || !write_problem_.empty()) {
    return now - leaving_ > kLinger ? "the other end does not close its side" : "";
  }
  if (!queue_.empty() && now - taken_ > limits_.progress) {
    return fmt::format("the other end has taken nothing for {}", limits_.progress);
  }
  if (state_ == State::kClosing) {
    return now - std::max(leaving_, taken_) > limits_.progress
               ? "the other end takes its last messages too slowly"
               : "";
  }
  if (!intake_.is_greeted() && now - started_ > limits_.handshake) {
    return fmt::format("no message within {} of the handshake", limits_.handshake);
  }
  if (const auto since = intake_.slow_since(); since && now - *since > limits_.progress) {
    return fmt::format("a frame of which less than {} bytes came in {}", limits_.progress_bytes,
                       limits_.progress);
  }
  return "";
}

/// A deadline has passed.
void AsioConnection::give_up(const std::string& why) {
  if (!write_problem_.empty()) return end(write_problem_);
  if (state_ == State::kLingering) return end("");
  logger("net")->warn("{} ({}): {}", address_, peer_.name, why);
  const bool can_say = state_ == State::kOpen && queue_.empty();
  if (!can_say) return end(why);
  reason_ = why;
  (void)send(Goodbye{.text = as_text(why)}, 0);
  close();
}

void AsioConnection::end(const std::string& why) {
  if (state_ == State::kEnded) return;
  state_ = State::kEnded;
  if (!reason_) reason_ = why;
  queue_.clear();
  timer_.cancel();
  ErrorCode ignored;
  (void)socket_.close(ignored);
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->finish(); });
}

void AsioConnection::finish() {
  if (is_finished_) return;
  is_finished_ = true;
  is_over_ = true;
  guarded([&] {
    if (user_) user_->on_closed(*reason_);
  });
  user_.reset();
  if (const auto ended = std::exchange(ended_, nullptr)) ended();
}

std::string text_of(const Tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  if (address.is_v4()) return fmt::format("{}:{}", address.to_string(), endpoint.port());
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) {
    const auto v4 = asio::ip::make_address_v4(asio::ip::v4_mapped, v6);
    return fmt::format("{}:{}", v4.to_string(), endpoint.port());
  }
  return fmt::format("[{}]:{}", v6.to_string(), endpoint.port());
}

}  // namespace convoy::net::internal
