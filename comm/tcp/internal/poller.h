// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <vector>

#include "comm/internal/wakeup.h"
#include "comm/tcp/internal/descriptor.h"

namespace convoy::comm::tcp {

/// Lets threads sleep in the kernel until a socket is ready or somebody signals. One thread at a
/// time sleeps on the sockets, the others until it has woken up. Any thread.
class Poller final : public internal::Wakeup {
 public:
  /// @throws internal::TransportError.
  Poller();

  /// Sockets come with a number of the caller's; closing one removes it.
  void add(int fd, std::uint32_t number);
  /// Whether room to write is waited for, besides data to read.
  void wait_for_room(int fd, std::uint32_t number, bool wanted);
  struct Ready {
    std::uint32_t number = 0;
    bool to_read = false;
    bool to_write = false;
  };
  /// Sockets that are ready now, or were when a sleep ended; some of them, where there are many.
  [[nodiscard]] std::vector<Ready> ready();

  void signal() override;
  void wait(std::uint64_t ticket, std::chrono::nanoseconds at_most) override;

 private:
  struct Look {
    std::vector<Ready> sockets;
    bool rung = false;  // somebody has signalled
  };
  [[nodiscard]] Look look(std::chrono::milliseconds at_most);
  void control(int operation, int fd, std::uint32_t number, std::uint32_t events);

  Descriptor epoll_;
  Descriptor alarm_;              // an eventfd that ends the sleep on the sockets
  bool somebody_sleeps_ = false;  // on the sockets; guarded by mutex_
  std::vector<Ready> seen_;       // by the one that slept last; guarded by mutex_
};

}  // namespace convoy::comm::tcp
