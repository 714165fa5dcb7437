// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/dialer.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "base/errors.h"
#include "base/log.h"
#include "scheduler/net/expiry.h"
#include "scheduler/net/internal/asio_connection.h"
#include "scheduler/net/internal/dial_steps.h"
#include "scheduler/net/internal/socket_options.h"

namespace convoy::net {

using internal::AsioConnection;
using internal::Tcp;
using SharedConnection = std::shared_ptr<AsioConnection>;

class Dialer::Impl {
 public:
  explicit Impl(DialerOptions options);
  ~Impl();

  SharedConnection dial(std::shared_ptr<ConnectionUser> user);
  void cancel() { waiter_.cancel(); }

 private:
  internal::TlsContext new_context() const;
  internal::TlsContext fresh_context();
  Tcp::socket reach_server();
  internal::Socket adopt(Tcp::socket socket) const;
  SharedConnection connect();
  void begin(const SharedConnection& connection, std::shared_ptr<ConnectionUser> user);
  void forget(const AsioConnection* connection);
  void watch_lists();
  void reload_lists();
  void tell_expiring();

  const DialerOptions options_;
  const std::shared_ptr<PeerVerifier> verifier_;
  std::shared_ptr<internal::Engine> engine_;
  std::optional<internal::Timer> lists_timer_;  // of the engine
  bool stops_watching_ = false;                 // on its strand
  ExpiryWatch expiry_;                          // there too
  internal::StepWaiter waiter_;

  std::mutex mutex_;
  std::condition_variable changed_;
  SharedConnection current_;
  std::size_t alive_ = 0;  // connections; one may be about to end while the next one begins
};

Dialer::Impl::Impl(DialerOptions options)
    : options_(std::move(options)),
      verifier_(std::make_shared<PeerVerifier>(
          PeerVerifier::Options{.authorities = options_.authorities,
                                .lists = options_.lists,
                                .roles = {Role::kServer},
                                .server_host = options_.server.host})),
      expiry_({options_.own.certificate, options_.authorities, options_.lists}) {
  (void)new_context();
  engine_ = std::make_shared<internal::Engine>(1);
  lists_timer_.emplace(engine_->new_strand());
  internal::asio::post(lists_timer_->get_executor(), [this] { watch_lists(); });
}

Dialer::Impl::~Impl() {
  std::unique_lock lock(mutex_);
  if (current_) {
    current_->post([connection = current_] { connection->abort("this end stops"); });
  }
  changed_.wait(lock, [&] { return alive_ == 0; });
  lock.unlock();
  internal::asio::post(lists_timer_->get_executor(), [this] {
    stops_watching_ = true;
    lists_timer_->cancel();
  });
  engine_->stop();
}

/// On the timer's strand.
void Dialer::Impl::watch_lists() {
  if (stops_watching_) return;
  if (options_.tells_expiry) tell_expiring();
  lists_timer_->expires_after(options_.reload);
  lists_timer_->async_wait([this](internal::ErrorCode error) {
    if (!error) reload_lists();
    watch_lists();
  });
}

/// On the timer's strand.
void Dialer::Impl::tell_expiring() {
  for (const auto& line : expiry_.due(current_time())) logger("net")->warn("{}", line);
}

/// What is wrong with the files is told when they are needed: by the refusal of the server.
void Dialer::Impl::reload_lists() {
  const std::scoped_lock lock(mutex_);
  if (!current_) return;
  (void)verifier_->reload();
  current_->post(
      [verifier = verifier_, connection = current_] { connection->end_if_refused(*verifier); });
}

internal::TlsContext Dialer::Impl::new_context() const {
  auto context = internal::new_tls_context();
  configure_client(*context, options_.own, verifier_);
  return context;
}

/// A process lives for longer than a revocation list, and perhaps than its certificate: the files
/// are read again.
internal::TlsContext Dialer::Impl::fresh_context() {
  if (const auto problem = verifier_->reload()) throw DialError(*problem, false);
  try {
    return new_context();
  } catch (const ConfigError& error) {
    throw DialError(error.what(), true);
  }
}

Tcp::socket Dialer::Impl::reach_server() {
  const auto& first = options_.proxy ? *options_.proxy : options_.server;
  const auto addresses = internal::resolve(waiter_, first, options_.connect);
  auto socket = internal::connect(waiter_, addresses, first, options_.connect);
  internal::set_socket_options(socket.native_handle(), options_.limits.progress);
  if (options_.proxy) {
    internal::ask_proxy(waiter_, socket, first, options_.server, options_.connect);
  }
  return socket;
}

/// The same descriptor, on the engine's thread.
internal::Socket Dialer::Impl::adopt(Tcp::socket socket) const {
  const auto protocol = socket.local_endpoint().protocol();
  internal::Socket adopted(engine_->new_strand());
  const int descriptor = socket.release();
  internal::ErrorCode error;
  (void)adopted.assign(protocol, descriptor, error);
  if (error) ::close(descriptor);
  if (error) throw boost::system::system_error(error);
  adopted.non_blocking(true);
  return adopted;
}

SharedConnection Dialer::Impl::connect() {
  const auto context = fresh_context();
  auto socket = reach_server();
  auto tls =
      internal::shake_hands(waiter_, socket, *context, options_.server, options_.limits.handshake);
  std::string address = internal::text_of(options_.server);
  if (options_.proxy) address += " through " + internal::text_of(*options_.proxy);
  return std::make_shared<AsioConnection>(AsioConnection::Parts{
      engine_, adopt(std::move(socket)), std::move(tls), std::move(address), options_.limits});
}

SharedConnection Dialer::Impl::dial(std::shared_ptr<ConnectionUser> user) {
  require(user != nullptr, "Dialer: a connection has a user");
  {
    const std::scoped_lock lock(mutex_);
    require(!current_ || current_->is_over(), "Dialer: one connection at a time");
  }
  waiter_.begin();
  try {
    auto connection = connect();
    begin(connection, std::move(user));
    return connection;
  } catch (const DialError&) {
    throw;
  } catch (const std::runtime_error& error) {  // of the system's
    throw DialError(fmt::format("dial {}: {}", internal::text_of(options_.server), error.what()),
                    false);
  }
}

void Dialer::Impl::begin(const SharedConnection& connection, std::shared_ptr<ConnectionUser> user) {
  const std::scoped_lock lock(mutex_);
  connection->begin([user = std::move(user)] { return user; },
                    [this, ended = connection.get()] { forget(ended); });
  current_ = connection;
  ++alive_;
}

void Dialer::Impl::forget(const AsioConnection* connection) {
  const std::scoped_lock lock(mutex_);
  if (current_.get() == connection) current_.reset();
  --alive_;
  changed_.notify_all();
}

Dialer::Dialer(DialerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Dialer::~Dialer() = default;

std::shared_ptr<Connection> Dialer::dial(std::shared_ptr<ConnectionUser> user) {
  return impl_->dial(std::move(user));
}

void Dialer::cancel() { impl_->cancel(); }

}  // namespace convoy::net
