// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/socket_options.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

namespace convoy::net::internal {
namespace {

constexpr int kKeepaliveIdleSeconds = 30;
constexpr int kKeepaliveIntervalSeconds = 10;
constexpr int kKeepaliveProbes = 3;

void set(int descriptor, int level, int name, int value) {
  if (::setsockopt(descriptor, level, name, &value, sizeof(value)) == 0) return;
  throw std::system_error(errno, std::generic_category(), "setsockopt");
}

}  // namespace

void set_socket_options(int descriptor, std::chrono::milliseconds patience) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0 || ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0) {
    throw std::system_error(errno, std::generic_category(), "fcntl");
  }
  set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, kKeepaliveIdleSeconds);
  set(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, kKeepaliveIntervalSeconds);
  set(descriptor, IPPROTO_TCP, TCP_KEEPCNT, kKeepaliveProbes);
  set(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(patience.count()));
}

std::size_t unacknowledged_bytes(int descriptor) {
  int bytes = 0;
  if (::ioctl(descriptor, SIOCOUTQ, &bytes) != 0) {
    throw std::system_error(errno, std::generic_category(), "ioctl");
  }
  return static_cast<std::size_t>(bytes);
}

}  // namespace convoy::net::internal
