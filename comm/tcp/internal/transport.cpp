// SPDX-License-Identifier: Apache-2.0
#include "comm/tcp/internal/transport.h"

#include <optional>
#include <utility>

#include "comm/internal/stream.h"
#include "comm/tcp/internal/connection.h"
#include "comm/tcp/internal/loopback.h"
#include "comm/tcp/internal/mesh.h"
#include "comm/tcp/internal/poller.h"

namespace convoy::comm::tcp {
namespace {

using internal::Message;
using internal::SplitGroup;
using internal::TransportError;

class TcpTransport final : public internal::Transport {
 public:
  TcpTransport(int rank, std::vector<Descriptor> sockets, ConnectOptions options)
      : rank_(rank), options_(std::move(options)) {
    for (Descriptor& socket : sockets) {
      const auto peer = static_cast<std::uint32_t>(connections_.size());
      if (socket.is_open()) poller_.add(socket.get(), peer);
      connections_.emplace_back(std::move(socket), static_cast<int>(peer), scratch_);
    }
  }

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return static_cast<int>(connections_.size()); }
  [[nodiscard]] std::string_view backend() const override { return "tcp"; }
  [[nodiscard]] std::size_t max_message_bytes() const override { return kMaxMessageBytes; }
  [[nodiscard]] std::size_t least_chunk_bytes() const override { return kShortBytes; }
  // What is kept where it comes too early; longer messages wait until they are asked for.
  [[nodiscard]] std::size_t rides_along_bytes() const override {
    return kShortBytes - sizeof(internal::Header);
  }
  [[nodiscard]] internal::Wakeup& wakeup() override { return poller_; }
  // Data wakes a thread: it sleeps at once. Polling for 20 us first gains at most a tenth of 4 KB
  // on idle cores, and makes it ten times slower beside threads that compute. The naps only bound a
  // mistake.
  [[nodiscard]] Naps naps() const override {
    const std::chrono::milliseconds rarely(50);
    return {.first = rarely, .longest = rarely, .poll_for = std::chrono::microseconds(0)};
  }

  void isend(Message& message) override {
    if (message.route.peer != rank_) return to(message).send(message);
    self_.send(message);
    poller_.signal();  // perhaps another thread waits for it
  }
  void irecv(Message& message) override {
    if (message.route.peer != rank_) return to(message).receive(message);
    self_.receive(message);
    poller_.signal();
  }
  void progress() override;
  [[nodiscard]] bool flush() override;

  void leave(const std::string& failure) override {
    for (Connection& connection : connections_) connection.leave(failure);
    self_.clear();
    next_.reset();
  }
  [[nodiscard]] bool leave_releases_memory() const override { return true; }

  [[nodiscard]] std::vector<std::uint8_t> prepare_split() override {
    allow_descriptors(connections_.size());
    next_ = listen(options_.network);
    return encode(next_->offer);
  }
  [[nodiscard]] std::unique_ptr<Transport> split(const SplitGroup& group) override;

 private:
  [[nodiscard]] Connection& to(const Message& message) {
    return connections_[static_cast<std::size_t>(message.route.peer)];
  }
  void watch_for_room(Connection& connection, std::uint32_t peer);

  int rank_;
  ConnectOptions options_;
  Poller poller_;
  internal::ScratchPool scratch_;       // of what comes early
  std::deque<Connection> connections_;  // by rank; the own one is never open
  Loopback self_{scratch_};
  std::optional<Listener> next_;  // of the group that is about to split off
};

void TcpTransport::progress() {
  for (const auto& ready : poller_.ready()) {
    Connection& connection = connections_[ready.number];
    if (ready.to_write && connection.write()) poller_.signal();
    if (ready.to_read) connection.read();
    watch_for_room(connection, ready.number);
  }
}

bool TcpTransport::flush() {
  bool over = false;
  std::uint32_t peer = 0;
  for (Connection& connection : connections_) {
    // One that has no room is woken for.
    if (!connection.waits_for_room && connection.write()) over = true;
    watch_for_room(connection, peer++);
  }
  if (over) poller_.signal();
  return over;
}

void TcpTransport::watch_for_room(Connection& connection, std::uint32_t peer) {
  if (!connection.is_open() || connection.wants_to_write() == connection.waits_for_room) return;
  connection.waits_for_room = connection.wants_to_write();
  poller_.wait_for_room(connection.fd(), peer, connection.waits_for_room);
}

std::unique_ptr<internal::Transport> TcpTransport::split(const SplitGroup& group) {
  std::vector<Offer> offers;
  for (const auto& offer : group.offers) offers.push_back(decode_offer(offer));
  const auto listener = std::exchange(next_, {});
  if (!listener) throw TransportError("a split without a listener");
  return make_transport(group.index, connect_all(group.index, offers, *listener, options_.timeout),
                        options_);
}

}  // namespace

std::unique_ptr<internal::Transport> make_transport(int rank, std::vector<Descriptor> sockets,
                                                    const ConnectOptions& options) {
  return std::make_unique<TcpTransport>(rank, std::move(sockets), options);
}

}  // namespace convoy::comm::tcp
