// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "scheduler/net/dialer.h"
#include "trainer/sites/backoff.h"
#include "trainer/sites/link_events.h"
#include "trainer/sites/site_link.h"

namespace convoy::trainer {

/// How a line dials; net::Dialer, or a test. What the functions own, and nobody else may, is gone,
/// with its thread, when the line has hung up: that thread calls what the line owns.
struct LineDialing {
  std::function<std::shared_ptr<net::Connection>(std::shared_ptr<net::ConnectionUser>)> dial;
  /// Makes a dial() that waits throw. Any thread.
  std::function<void()> cancel;
  Backoff::Limits waits;
  std::uint64_t seed = 0;  ///< of the waits' jitter
};

/// Keeps a site connected, on a thread of its own: dials, and dials again when the connection is
/// lost. What the server says waits in order until it is asked for. Any thread.
class SiteLine {
 public:
  /// Dials from here on.
  SiteLine(LineDialing dialing, LinkIdentity identity, std::function<net::Progress()> progress);
  /// Hangs up.
  ~SiteLine();
  SiteLine(const SiteLine&) = delete;
  SiteLine& operator=(const SiteLine&) = delete;

  /// Runs `task` where the link lives, in the order of the calls; while nothing is connected,
  /// before the next connection speaks.
  void tell(std::function<void(SiteLink&)> task);

  /// What the server has said next; nothing after `patience`. Of LinkEnded only what is final:
  /// the line is dead then.
  [[nodiscard]] std::optional<LinkEvent> next(std::chrono::milliseconds patience);

  /// Says goodbye, waits a moment until that is sent, and dials no more.
  void hang_up(const std::string& goodbye);

 private:
  class User;

  void run();
  [[nodiscard]] bool dial_once();
  [[nodiscard]] bool stay_connected();
  [[nodiscard]] bool pause();
  void cancel_until_over();
  void drain();
  void take(LinkEvent event);
  void judge(LinkEnded& ended);

  LineDialing dialing_;
  Backoff backoff_;
  SiteLink link_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::deque<std::function<void(SiteLink&)>> tasks_;
  std::deque<LinkEvent> events_;
  std::shared_ptr<net::Connection> connection_;
  bool is_stopping_ = false;
  bool is_dead_ = false;
  bool is_over_ = false;  ///< nothing is dialled any more
  bool is_cut_ = false;   ///< the newest connection has ended, perhaps before anybody used it
  std::chrono::steady_clock::time_point dialled_{};  ///< when it came about
  /// Since when the server takes this process for a second one of its site.
  std::optional<std::chrono::steady_clock::time_point> second_since_;

  std::thread thread_;
};

}  // namespace convoy::trainer
