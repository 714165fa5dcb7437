// SPDX-License-Identifier: Apache-2.0
#include "comm/internal/shared_wakeup.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

namespace convoy::comm::internal {
namespace {

void futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value,
           const timespec* at_most) {
  // Errors mean "look again": the value has changed, the time is over, a signal came.
  ::syscall(SYS_futex, &word, operation, value, at_most, nullptr, 0);
}

}  // namespace

// Both orders are the strong one: either the sleeper is seen here, or the ring by the sleeper.
void ring(SharedArea::Bell& bell) {
  bell.rings.fetch_add(1);
  if (bell.sleepers.load() > 0) futex(bell.rings, FUTEX_WAKE, INT_MAX, nullptr);
}

void SharedWakeup::wait(std::uint64_t ticket, std::chrono::nanoseconds at_most) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at_most);
  const timespec time{.tv_sec = seconds.count(), .tv_nsec = (at_most - seconds).count()};
  bell_.sleepers.fetch_add(1);
  futex(bell_.rings, FUTEX_WAIT, static_cast<std::uint32_t>(ticket), &time);
  bell_.sleepers.fetch_sub(1);
}

}  // namespace convoy::comm::internal
