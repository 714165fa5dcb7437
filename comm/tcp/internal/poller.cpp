// SPDX-License-Identifier: Apache-2.0
#include "comm/tcp/internal/poller.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <string>
#include <utility>

#include "comm/internal/transport.h"

namespace convoy::comm::tcp {
namespace {

constexpr std::uint32_t kAlarm = UINT32_MAX;
constexpr int kEvents = 64;
constexpr std::chrono::milliseconds kLongestSleep{1000};

int checked(int result, const char* call) {
  if (result < 0) throw internal::TransportError(std::string(call) + ": " + std::strerror(errno));
  return result;
}

}  // namespace

Poller::Poller()
    : epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      alarm_(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")) {
  add(alarm_.get(), kAlarm);
}

void Poller::control(int operation, int fd, std::uint32_t number, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u32 = number;
  checked(::epoll_ctl(epoll_.get(), operation, fd, &event), "epoll_ctl");
}

void Poller::add(int fd, std::uint32_t number) { control(EPOLL_CTL_ADD, fd, number, EPOLLIN); }

void Poller::wait_for_room(int fd, std::uint32_t number, bool wanted) {
  control(EPOLL_CTL_MOD, fd, number, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

std::vector<Poller::Ready> Poller::ready() {
  {
    const std::lock_guard lock(mutex_);
    if (!seen_.empty()) return std::exchange(seen_, {});
  }
  return look(std::chrono::milliseconds(0)).sockets;
}

Poller::Look Poller::look(std::chrono::milliseconds at_most) {
  std::array<epoll_event, kEvents> events;
  const int count =
      ::epoll_wait(epoll_.get(), events.data(), kEvents, static_cast<int>(at_most.count()));
  Look found;
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    if (event.data.u32 == kAlarm) {
      found.rung = true;
      continue;
    }
    // What is wrong with a socket comes out when it is read.
    found.sockets.push_back({.number = event.data.u32,
                             .to_read = (event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0,
                             .to_write = (event.events & EPOLLOUT) != 0});
  }
  return found;
}

void Poller::signal() {
  bool ring = false;
  {
    const std::lock_guard lock(mutex_);
    events_.fetch_add(1, std::memory_order_release);
    ring = somebody_sleeps_;
  }
  changed_.notify_all();
  if (!ring) return;
  const std::uint64_t one = 1;
  // Full only when it rings already.
  [[maybe_unused]] const auto written = ::write(alarm_.get(), &one, sizeof one);
}

void Poller::wait(std::uint64_t ticket, std::chrono::nanoseconds at_most) {
  {
    std::unique_lock lock(mutex_);
    if (this->ticket() != ticket) return;
    if (somebody_sleeps_) {
      // It may leave after this event: then one of those here takes its place.
      changed_.wait_for(lock, at_most,
                        [&] { return this->ticket() != ticket || !somebody_sleeps_; });
      return;
    }
    somebody_sleeps_ = true;
  }
  const auto wait_ms = std::chrono::ceil<std::chrono::milliseconds>(at_most);
  Look seen = look(std::clamp(wait_ms, std::chrono::milliseconds(0), kLongestSleep));
  // Here only: somebody else would take it from the one that it is to wake.
  if (seen.rung) {
    std::uint64_t rings = 0;
    [[maybe_unused]] const auto bytes = ::read(alarm_.get(), &rings, sizeof rings);
  }
  {
    const std::lock_guard lock(mutex_);
    somebody_sleeps_ = false;
    seen_ = std::move(seen.sockets);
  }
  changed_.notify_all();
}

}  // namespace convoy::comm::tcp
