// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/listener.h"

#include <spdlog/fmt/fmt.h>

#include <boost/asio/ip/address.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/log.h"
#include "scheduler/net/expiry.h"
#include "scheduler/net/internal/accept_loop.h"
#include "scheduler/net/internal/admission.h"
#include "scheduler/net/internal/asio_connection.h"
#include "scheduler/net/internal/handshake_line.h"
#include "scheduler/net/internal/refusal_log.h"
#include "scheduler/net/internal/server_handshake.h"
#include "scheduler/net/internal/socket_options.h"

namespace convoy::net {
namespace {

using internal::AsioConnection;
using internal::ErrorCode;
using internal::ServerHandshake;
using internal::Tcp;
using SharedConnection = std::shared_ptr<AsioConnection>;

Tcp::endpoint endpoint_of(const ListenerOptions& options) {
  ErrorCode error;
  const auto address = boost::asio::ip::make_address(options.host, error);
  require_config(!error,
                 fmt::format("\"{}\" is no IP address to listen on", printable(options.host)));
  return {address, options.port};
}

std::unique_ptr<internal::AcceptLoop> listen(internal::Engine& engine, const Tcp::endpoint& at,
                                             internal::AcceptLoop::Calls calls) {
  try {
    return std::make_unique<internal::AcceptLoop>(engine, at, std::move(calls));
  } catch (const boost::system::system_error& error) {
    const std::string text =
        fmt::format("cannot listen on {}: {}", internal::text_of(at), error.code().message());
    if (error.code() == boost::asio::error::address_in_use) throw std::runtime_error(text);
    throw ConfigError(text);
  }
}

std::string name_of(const AsioConnection& connection) {
  return fmt::format("the {} {}", to_text(connection.peer().role), connection.peer().name);
}

}  // namespace

/// Everything that runs on the engine's threads may use it: stop() waits for all of that.
class Listener::Impl {
 public:
  Impl(ListenerOptions options, Accept accept);
  ~Impl() { stop({}); }

  [[nodiscard]] std::uint16_t port() const { return loop_->port(); }
  [[nodiscard]] std::size_t connections() const;
  std::optional<std::string> reload_lists();
  void stop(std::chrono::milliseconds patience);

 private:
  /// What a connection became when its handshake was over.
  enum class Entry { kWelcome, kTooMany, kTooManyOfName, kStopping };

  bool wants_more();
  void on_socket(internal::Socket socket, const Tcp::endpoint& peer);
  void begin_handshakes();
  void begin_handshake(internal::Socket socket, const Tcp::endpoint& peer);
  void on_handshake(ServerHandshake& handshake, const Tcp::endpoint& peer,
                    const std::string& problem);
  void begin_connection(ServerHandshake& handshake, const Tcp::endpoint& peer);
  std::shared_ptr<ConnectionUser> user_for(const SharedConnection& connection,
                                           const Tcp::endpoint& peer, Entry entry);
  Entry enter(const SharedConnection& connection, const Tcp::endpoint& peer);
  void leave(AsioConnection* connection);
  void tell_expiring();
  void stop_all(std::chrono::milliseconds patience);
  void for_all(const std::function<void(const SharedConnection&)>& task);

  struct Open {
    SharedConnection connection;
    Tcp::endpoint peer;
    std::string name;  // that it counts for; "": none
  };

  const ListenerOptions options_;
  const Accept accept_;
  const std::shared_ptr<PeerVerifier> verifier_;
  internal::TlsContext context_;
  std::shared_ptr<internal::Engine> engine_;
  std::unique_ptr<internal::AcceptLoop> loop_;
  std::once_flag stopped_once_;
  internal::RefusalLog refusals_;
  std::mutex expiry_mutex_;
  ExpiryWatch expiry_;  // guarded by it

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::map<ServerHandshake*, std::shared_ptr<ServerHandshake>> handshakes_;
  std::map<AsioConnection*, Open> open_;
  internal::Admission admission_;
  internal::HandshakeLine line_;
  internal::Quota<std::string> names_;
};

Listener::Impl::Impl(ListenerOptions options, Accept accept)
    : options_(std::move(options)),
      accept_(std::move(accept)),
      verifier_(std::make_shared<PeerVerifier>(options_.peers)),
      context_(internal::new_tls_context()),
      expiry_({options_.own.certificate, options_.peers.authorities, options_.peers.lists}),
      admission_(options_.max_connections_per_address),
      line_(options_.max_handshakes, options_.max_handshakes_per_address),
      names_(options_.max_connections_per_name) {
  require(accept_ != nullptr && options_.threads > 0 && options_.max_handshakes > 0 &&
              options_.max_handshakes_per_address > 0,
          "Listener: nobody could ever connect");
  configure_server(*context_, options_.own, verifier_);
  const auto at = endpoint_of(options_);
  engine_ = std::make_shared<internal::Engine>(options_.threads);
  loop_ = listen(
      *engine_, at,
      {.wants_more = [this] { return wants_more(); },
       .accepted = [this](internal::Socket socket,
                          const Tcp::endpoint& peer) { on_socket(std::move(socket), peer); }});
  tell_expiring();
  loop_->go_on();
}

bool Listener::Impl::wants_more() {
  const std::scoped_lock lock(mutex_);
  return !stopping_ && line_.has_room();
}

void Listener::Impl::on_socket(internal::Socket socket, const Tcp::endpoint& peer) {
  bool is_welcome = false;
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_) return;
    is_welcome = admission_.enter(peer.address());
    if (is_welcome) line_.join({std::move(socket), peer});
  }
  if (!is_welcome) return refusals_.refused(peer, "too many connections from its address");
  begin_handshakes();
}

void Listener::Impl::begin_handshakes() {
  const auto next = [this] {
    const std::scoped_lock lock(mutex_);
    return stopping_ ? std::nullopt : line_.next();
  };
  while (auto arrival = next()) {
    try {
      begin_handshake(std::move(arrival->socket), arrival->peer);
    } catch (const std::exception& error) {
      refusals_.refused(arrival->peer, error.what());
      const std::scoped_lock lock(mutex_);
      line_.leave(arrival->peer);
      admission_.leave(arrival->peer.address());
    }
  }
}

void Listener::Impl::begin_handshake(internal::Socket socket, const Tcp::endpoint& peer) {
  internal::set_socket_options(socket.native_handle(), options_.limits.progress);
  socket.non_blocking(true);
  const auto handshake = std::make_shared<ServerHandshake>(
      std::move(socket), *context_, options_.limits.handshake,
      [this, peer](ServerHandshake& done, const std::string& problem) {
        on_handshake(done, peer, problem);
      });
  const std::scoped_lock lock(mutex_);
  if (stopping_) return;  // nobody would cancel it
  handshakes_.emplace(handshake.get(), handshake);
  boost::asio::post(handshake->strand(), [handshake] { handshake->start(); });
}

void Listener::Impl::on_handshake(ServerHandshake& handshake, const Tcp::endpoint& peer,
                                  const std::string& problem) {
  std::string why = problem;
  if (why.empty()) {
    try {
      begin_connection(handshake, peer);
    } catch (const std::exception& error) {
      why = error.what();
    }
  }
  if (!why.empty()) refusals_.refused(peer, "handshake: " + why);
  {
    const std::scoped_lock lock(mutex_);
    handshakes_.erase(&handshake);
    line_.leave(peer);
    if (!why.empty()) admission_.leave(peer.address());
    changed_.notify_all();
  }
  begin_handshakes();
  loop_->go_on();
}

void Listener::Impl::begin_connection(ServerHandshake& handshake, const Tcp::endpoint& peer) {
  const auto connection = std::make_shared<AsioConnection>(
      AsioConnection::Parts{engine_, std::move(handshake.socket()), handshake.take_tls(),
                            internal::text_of(peer), options_.limits});
  const auto entry = enter(connection, peer);
  connection->start([&] { return user_for(connection, peer, entry); },
                    [this, which = connection.get()] { leave(which); });
}

std::shared_ptr<ConnectionUser> Listener::Impl::user_for(const SharedConnection& connection,
                                                         const Tcp::endpoint& peer, Entry entry) {
  if (entry == Entry::kStopping) {
    connection->close();
    return nullptr;
  }
  const auto refuse = [&](RefusalCode code, const std::string& text) {
    refusals_.refused(peer, fmt::format("{}: {}", to_text(code), text), connection->peer().name);
    connection->turn_away({.code = code, .text = text}, 0);
    return nullptr;
  };
  if (entry == Entry::kTooManyOfName) {
    return refuse(RefusalCode::kTooMuch, "too many connections of " + name_of(*connection));
  }
  if (entry == Entry::kTooMany) return refuse(RefusalCode::kTooMuch, "too many connections");
  // The lists may have been read again since the handshake: now reload_lists() knows this one too.
  if (const auto why = connection->refusal_by(*verifier_)) {
    return refuse(RefusalCode::kNotAllowed, *why);
  }
  auto user = accept_(connection);
  if (!user) return refuse(RefusalCode::kFailed, "nobody takes this connection");
  return user;
}

Listener::Impl::Entry Listener::Impl::enter(const SharedConnection& connection,
                                            const Tcp::endpoint& peer) {
  const std::scoped_lock lock(mutex_);
  const bool too_many = open_.size() >= options_.max_connections;
  const std::string name = name_of(*connection);
  const bool of_name = names_.enter(name);
  open_.emplace(connection.get(), Open{connection, peer, of_name ? name : ""});
  if (stopping_) return Entry::kStopping;
  if (too_many) return Entry::kTooMany;
  return of_name ? Entry::kWelcome : Entry::kTooManyOfName;
}

void Listener::Impl::leave(AsioConnection* connection) {
  const std::scoped_lock lock(mutex_);
  const auto found = open_.find(connection);
  if (found == open_.end()) return;
  admission_.leave(found->second.peer.address());
  names_.leave(found->second.name);
  open_.erase(found);
  changed_.notify_all();
}

std::size_t Listener::Impl::connections() const {
  const std::scoped_lock lock(mutex_);
  return open_.size();
}

void Listener::Impl::for_all(const std::function<void(const SharedConnection&)>& task) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [key, open] : open_) {
    open.connection->post([task, connection = open.connection] { task(connection); });
  }
}

void Listener::Impl::tell_expiring() {
  const std::scoped_lock lock(expiry_mutex_);
  for (const auto& line : expiry_.due(current_time())) logger("net")->warn("{}", line);
}

std::optional<std::string> Listener::Impl::reload_lists() {
  tell_expiring();
  auto problem = verifier_->reload();
  refusals_.tell_left_out();  // of a scan that is over: nothing else would tell
  for_all([verifier = verifier_](const SharedConnection& connection) {
    connection->end_if_refused(*verifier);
  });
  return problem;
}

void Listener::Impl::stop(std::chrono::milliseconds patience) {
  std::call_once(stopped_once_, [&] { stop_all(patience); });
}

void Listener::Impl::stop_all(std::chrono::milliseconds patience) {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    line_.clear();
    for (const auto& [key, handshake] : handshakes_) {
      boost::asio::post(handshake->strand(),
                        [handshake = handshake] { handshake->cancel("the server stops"); });
    }
  }
  loop_->stop();
  for_all([](const SharedConnection& connection) { connection->close(); });
  const auto is_empty = [&] { return handshakes_.empty() && open_.empty(); };
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, is_empty);
  }
  for_all([](const SharedConnection& connection) { connection->abort("the server stops"); });
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, is_empty);
  }
  engine_->stop();
}

Listener::Listener(ListenerOptions options, Accept accept)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(accept))) {}

Listener::~Listener() { stop(); }

std::uint16_t Listener::port() const { return impl_->port(); }

std::size_t Listener::connections() const { return impl_->connections(); }

std::optional<std::string> Listener::reload_lists() { return impl_->reload_lists(); }

void Listener::stop(std::chrono::milliseconds patience) { impl_->stop(patience); }

}  // namespace convoy::net
