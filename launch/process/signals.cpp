// SPDX-License-Identifier: Apache-2.0
#include "launch/process/signals.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdio>

namespace convoy::launch::signals {
namespace {

constexpr int kTerminated = 128 + SIGTERM;

static_assert(std::atomic<bool>::is_always_lock_free, "signal handlers need it");
std::atomic<bool> stop_requested{false};
// Made before the handler can run: formatting is not async-signal-safe.
std::array<char, 96> farewell{};
std::size_t farewell_bytes = 0;

void on_stop(int) { stop_requested = true; }

void on_terminate(int) {
  // Nothing can be done here about a closed standard error.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, farewell.data(), farewell_bytes);
  ::_exit(kTerminated);
}

void set_handler(int signal, void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

void install(int rank) {
  const int length = std::snprintf(farewell.data(), farewell.size(),
                                   "convoy rank %d: SIGTERM; the last checkpoint stands\n", rank);
  farewell_bytes = static_cast<std::size_t>(length);
  set_handler(SIGUSR1, on_stop, SA_RESTART);
  set_handler(SIGTERM, on_terminate, SA_RESTART);
}

void stop_on_interrupt() {
  // SA_RESETHAND: the second one finds the default action.
  set_handler(SIGINT, on_stop, static_cast<int>(SA_RESTART | SA_RESETHAND));
}

void stop_on_terminate() {
  set_handler(SIGTERM, on_stop, static_cast<int>(SA_RESTART | SA_RESETHAND));
}

const std::atomic<bool>& stop() { return stop_requested; }

}  // namespace convoy::launch::signals
