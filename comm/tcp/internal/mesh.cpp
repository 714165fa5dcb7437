// SPDX-License-Identifier: Apache-2.0
#include "comm/tcp/internal/mesh.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <optional>
#include <span>

#include "base/log.h"
#include "comm/internal/transport.h"
#include "comm/tcp/internal/address.h"

namespace convoy::comm::tcp {
namespace {

using Clock = std::chrono::steady_clock;
using internal::TransportError;

// An address that does not answer for so long is given up for the next one.
constexpr std::chrono::seconds kCallTime{10};
// A stranger that says nothing for so long is dropped.
constexpr std::chrono::seconds kGreetingTime{10};
constexpr std::size_t kMostStrangers = 256;  // that have not said who they are

// The other side's greeting, as far as it has come.
class GreetingReader {
 public:
  enum class Result { kIncomplete, kComplete, kClosed };

  // Reads not one byte more: those belong to the connection.
  Result read(const Descriptor& socket) {
    while (got_ < sizeof bytes_) {
      const ssize_t n = ::recv(socket.get(), &bytes_[got_], sizeof bytes_ - got_, 0);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return Result::kIncomplete;
      if (n <= 0) return Result::kClosed;
      got_ += static_cast<std::size_t>(n);
    }
    return Result::kComplete;
  }
  [[nodiscard]] Greeting greeting() const {
    Greeting greeting;
    std::memcpy(&greeting, bytes_.data(), sizeof greeting);
    return greeting;
  }

 private:
  std::array<std::byte, sizeof(Greeting)> bytes_{};
  std::size_t got_ = 0;
};

bool send_greeting(const Descriptor& socket, const Greeting& greeting) {
  // The first bytes of a connection always fit.
  return ::send(socket.get(), &greeting, sizeof greeting, MSG_NOSIGNAL) == sizeof greeting;
}

// A lower rank that this one calls, address by address.
struct Call {
  int peer = 0;
  std::vector<std::string> addresses;
  std::size_t next = 0;
  Descriptor socket;
  bool greeted = false;
  GreetingReader reader;
  Clock::time_point give_up;
  std::string last_error;
};

// Somebody who has called this rank and not yet said who it is.
struct Stranger {
  Descriptor socket;
  std::string address;
  GreetingReader reader;
  Clock::time_point give_up;
};

// Where to try, the likeliest first.
std::vector<std::string> places_of(const Offer& offer, const Offer& own) {
  std::vector<std::string> places = offer.addresses;
  const auto own_addresses = host_addresses();
  std::ranges::stable_partition(places, [&](const std::string& place) {
    return std::ranges::any_of(own_addresses, [&](const HostAddress& mine) {
      return in_same_network(place, mine.text, mine.prefix_bits);
    });
  });
  if (offer.host == own.host) places.insert(places.begin(), "127.0.0.1");
  return places;
}

class Mesh {
 public:
  Mesh(int rank, const std::vector<Offer>& offers, const Listener& listener)
      : rank_(rank), offers_(offers), listener_(listener), sockets_(offers.size()) {
    for (int peer = 0; peer < rank; ++peer) {
      Call& call = calls_.emplace_back();
      call.peer = peer;
      call.addresses = places_of(offer_of(peer), listener.offer);
      call_next_address(call);
    }
  }

  std::vector<Descriptor> connect(std::chrono::milliseconds timeout) {
    const auto deadline = Clock::now() + timeout;
    while (const auto missing = first_missing()) {
      if (Clock::now() >= deadline) {
        throw TransportError(fmt::format("no connection with rank {} on {} within {:.1f} s",
                                         *missing, offer_of(*missing).host,
                                         std::chrono::duration<double>(timeout).count()));
      }
      wait_for_events();
      for (Call& call : calls_) move_on(call);
      accept_strangers();
      std::erase_if(strangers_, [&](Stranger& stranger) { return is_over(stranger); });
    }
    return std::move(sockets_);
  }

 private:
  [[nodiscard]] const Offer& offer_of(int rank) const {
    return offers_[static_cast<std::size_t>(rank)];
  }
  [[nodiscard]] Descriptor& socket_of(int rank) { return sockets_[static_cast<std::size_t>(rank)]; }
  [[nodiscard]] std::optional<int> first_missing();
  void wait_for_events();

  void call_next_address(Call& call);
  void move_on(Call& call);
  void try_next(Call& call, const std::string& why);
  [[nodiscard]] static int connection_error(const Call& call);

  void accept_strangers();
  [[nodiscard]] bool is_over(Stranger& stranger);
  [[nodiscard]] bool is_expected(const Greeting& greeting) const;

  int rank_;
  const std::vector<Offer>& offers_;
  const Listener& listener_;
  std::vector<Descriptor> sockets_;
  std::deque<Call> calls_;
  std::vector<Stranger> strangers_;
};

std::optional<int> Mesh::first_missing() {
  for (int peer = 0; peer < static_cast<int>(sockets_.size()); ++peer) {
    if (peer != rank_ && !socket_of(peer).is_open()) return peer;
  }
  return {};
}

void Mesh::wait_for_events() {
  std::vector<pollfd> polled{{listener_.socket.get(), POLLIN, 0}};
  for (const Call& call : calls_) {
    if (!call.socket.is_open()) continue;
    polled.push_back({call.socket.get(), static_cast<short>(call.greeted ? POLLIN : POLLOUT), 0});
  }
  for (const Stranger& stranger : strangers_) polled.push_back({stranger.socket.get(), POLLIN, 0});
  ::poll(polled.data(), polled.size(), 100);  // ms, so that deadlines are seen
}

void Mesh::call_next_address(Call& call) {
  if (call.next == call.addresses.size()) {
    throw TransportError(
        fmt::format("cannot connect to rank {} on {}: {}", call.peer, offer_of(call.peer).host,
                    call.addresses.empty() ? "it has no address" : call.last_error));
  }
  const Endpoint endpoint = make_endpoint(call.addresses[call.next++], offer_of(call.peer).port);
  call.socket = Descriptor(
      ::socket(endpoint.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  call.greeted = false;
  call.reader = {};
  call.give_up = Clock::now() + kCallTime;
  if (!call.socket.is_open() ||
      (::connect(call.socket.get(), endpoint.address(), endpoint.length) != 0 &&
       errno != EINPROGRESS)) {
    try_next(call, std::strerror(errno));
  }
}

void Mesh::try_next(Call& call, const std::string& why) {
  call.last_error += fmt::format(
      "{}{}: {}", call.last_error.empty() ? "" : "; ",
      to_string(make_endpoint(call.addresses[call.next - 1], offer_of(call.peer).port)), why);
  call.socket.close();
  call_next_address(call);
}

// 0 when connected, EINPROGRESS when that is not known yet.
int Mesh::connection_error(const Call& call) {
  pollfd polled{call.socket.get(), POLLOUT, 0};
  if (::poll(&polled, 1, 0) == 0) return EINPROGRESS;
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(call.socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

void Mesh::move_on(Call& call) {
  if (!call.socket.is_open()) return;
  if (Clock::now() >= call.give_up) return try_next(call, "no answer");
  if (!call.greeted) {
    const int error = connection_error(call);
    if (error == EINPROGRESS) return;
    if (error != 0) return try_next(call, std::strerror(error));
    const Greeting greeting{.secret = offer_of(call.peer).secret,
                            .from = static_cast<std::uint32_t>(rank_),
                            .to = static_cast<std::uint32_t>(call.peer)};
    if (!send_greeting(call.socket, greeting)) return try_next(call, std::strerror(errno));
    call.greeted = true;
  }
  const auto result = call.reader.read(call.socket);
  if (result == GreetingReader::Result::kIncomplete) return;
  const Greeting answer = call.reader.greeting();
  if (result == GreetingReader::Result::kClosed || !is_expected(answer) ||
      answer.from != static_cast<std::uint32_t>(call.peer)) {
    return try_next(call, "somebody else answers");
  }
  socket_of(call.peer) = std::move(call.socket);
}

void Mesh::accept_strangers() {
  for (;;) {
    Endpoint from;
    from.length = sizeof from.storage;
    Descriptor socket(::accept4(listener_.socket.get(), from.address(), &from.length,
                                SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.is_open()) return;
    if (strangers_.size() >= kMostStrangers) strangers_.erase(strangers_.begin());
    Stranger& stranger = strangers_.emplace_back();
    stranger.socket = std::move(socket);
    stranger.address = to_string(from);
    stranger.give_up = Clock::now() + kGreetingTime;
  }
}

bool Mesh::is_expected(const Greeting& greeting) const {
  return greeting.magic == Greeting{}.magic && greeting.secret == listener_.offer.secret &&
         greeting.to == static_cast<std::uint32_t>(rank_);
}

bool Mesh::is_over(Stranger& stranger) {
  const auto result = stranger.reader.read(stranger.socket);
  const bool late = Clock::now() >= stranger.give_up;
  if (result == GreetingReader::Result::kIncomplete && !late) return false;
  const Greeting greeting = stranger.reader.greeting();
  const bool is_rank = result == GreetingReader::Result::kComplete && is_expected(greeting) &&
                       greeting.from > static_cast<std::uint32_t>(rank_) &&
                       greeting.from < offers_.size();
  if (!is_rank) {
    logger("comm")->warn("dropped a connection from {}: it does not belong to this job",
                         stranger.address);
    return true;
  }
  const int peer = static_cast<int>(greeting.from);
  const Greeting answer{.secret = offer_of(peer).secret,
                        .from = static_cast<std::uint32_t>(rank_),
                        .to = greeting.from};
  if (send_greeting(stranger.socket, answer)) socket_of(peer) = std::move(stranger.socket);
  return true;
}

void set_options(const Descriptor& socket) {
  const auto set = [&](int option, int value) {
    if (::setsockopt(socket.get(), IPPROTO_TCP, option, &value, sizeof value) != 0) {
      throw TransportError(std::string("setsockopt: ") + std::strerror(errno));
    }
  };
  set(TCP_NODELAY, 1);
  // The kernel sizes its buffers to the link. It holds at most this much that is not on its way
  // yet: what a thread that waits for a core has left behind, and what a small message waits for.
  set(TCP_NOTSENT_LOWAT, 128 << 10);
}

}  // namespace

std::vector<Descriptor> connect_all(int rank, const std::vector<Offer>& offers,
                                    const Listener& listener, std::chrono::milliseconds timeout) {
  auto sockets = Mesh(rank, offers, listener).connect(timeout);
  for (const Descriptor& socket : sockets) {
    if (socket.is_open()) set_options(socket);
  }
  return sockets;
}

}  // namespace convoy::comm::tcp
