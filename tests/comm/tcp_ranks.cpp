// SPDX-License-Identifier: Apache-2.0
#include "tests/comm/tcp_ranks.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>

#include "comm/internal/transport_communicator.h"
#include "comm/tcp/internal/address.h"
#include "comm/tcp/internal/transport.h"

namespace convoy::tests {

using namespace comm::tcp;

TcpRanks::TcpRanks(int ranks) {
  for (int r = 0; r < ranks; ++r) {
    listeners_.push_back(listen(""));
    offers_.push_back(listeners_.back().offer);
  }
}

std::unique_ptr<comm::internal::Transport> TcpRanks::transport(int rank,
                                                               std::chrono::milliseconds timeout) {
  const Listener listener = std::move(listeners_[static_cast<std::size_t>(rank)]);
  return make_transport(rank, connect_all(rank, offers_, listener, timeout),
                        {.network = "", .timeout = timeout});
}

std::unique_ptr<comm::Communicator> TcpRanks::connect(int rank,
                                                      const comm::CommunicatorOptions& options) {
  return std::make_unique<comm::internal::TransportCommunicator>(transport(rank), options);
}

RawPeer::RawPeer(const Offer& offer) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const Endpoint endpoint = make_endpoint("127.0.0.1", offer.port);
  EXPECT_EQ(::connect(socket_.get(), endpoint.address(), endpoint.length), 0);
}

void RawPeer::send_bytes(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return;  // the test sees what the other side says
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void RawPeer::receive_bytes(std::span<std::byte> bytes) {
  EXPECT_EQ(::recv(socket_.get(), bytes.data(), bytes.size(), MSG_WAITALL),
            static_cast<ssize_t>(bytes.size()));
}

void RawPeer::become(int rank, int peer, const std::vector<Offer>& offers) {
  Greeting greeting{.secret = offers[static_cast<std::size_t>(peer)].secret,
                    .from = static_cast<std::uint32_t>(rank),
                    .to = static_cast<std::uint32_t>(peer)};
  send(greeting);
  receive_bytes(std::as_writable_bytes(std::span(&greeting, 1)));
  EXPECT_EQ(greeting.secret, offers[static_cast<std::size_t>(rank)].secret);
}

bool RawPeer::is_dropped() {
  pollfd polled{socket_.get(), POLLIN, 0};
  std::byte byte{};
  return ::poll(&polled, 1, 5000) == 1 && ::recv(socket_.get(), &byte, 1, 0) <= 0;
}

void RawPeer::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  socket_.close();
}

}  // namespace convoy::tests
