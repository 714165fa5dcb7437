// SPDX-License-Identifier: Apache-2.0
#include "comm/tcp/stream_rate.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cstddef>
#include <thread>
#include <vector>

#include "base/errors.h"
#include "comm/tcp/internal/mesh.h"
#include "comm/values.h"

namespace convoy::comm::tcp {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kPieceBytes = std::size_t{256} << 10;

void make_blocking(const Descriptor& socket) {
  ::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) & ~O_NONBLOCK);
}

void send_until(const Descriptor& socket, Clock::time_point end) {
  const std::vector<std::byte> piece(kPieceBytes);
  while (Clock::now() < end && ::send(socket.get(), piece.data(), piece.size(), MSG_NOSIGNAL) > 0) {
  }
  ::shutdown(socket.get(), SHUT_WR);
}

// From the first byte to the last, so that it does not matter when the sender has begun.
double receive_rate(const Descriptor& socket) {
  std::vector<std::byte> piece(kPieceBytes);
  ssize_t bytes = ::recv(socket.get(), piece.data(), piece.size(), 0);
  const auto start = Clock::now();
  auto last = start;
  std::size_t total = 0;
  while ((bytes = ::recv(socket.get(), piece.data(), piece.size(), 0)) > 0) {
    total += static_cast<std::size_t>(bytes);
    last = Clock::now();
  }
  const std::chrono::duration<double> taken = last - start;
  return taken.count() > 0 ? static_cast<double>(total) / taken.count() : 0.0;
}

}  // namespace

double measure_stream_rate(Communicator& bootstrap, std::chrono::milliseconds duration,
                           const Options& options) {
  require(bootstrap.size() > 1, "a stream needs two ranks");
  auto sockets = connect(bootstrap, options);
  const auto socket_of = [&](int rank) -> Descriptor& {
    return sockets[static_cast<std::size_t>((rank + bootstrap.size()) % bootstrap.size())];
  };
  Descriptor& next = socket_of(bootstrap.rank() + 1);
  Descriptor& previous = socket_of(bootstrap.rank() - 1);
  make_blocking(next);
  make_blocking(previous);
  bootstrap.barrier().wait();
  const std::jthread sender([&] { send_until(next, Clock::now() + duration); });
  return all_reduce_value(bootstrap, receive_rate(previous), ReduceOp::kMin);
}

}  // namespace convoy::comm::tcp
