// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <string>

#include "scheduler/net/internal/asio.h"
#include "scheduler/net/internal/log_limit.h"

namespace convoy::net::internal {

/// Logs who was not let in, with address and reason, and of a scan how many there were. Any thread.
class RefusalLog {
 public:
  /// @param why  up to its first colon it is the kind of which only so many lines are logged.
  /// @param name  in the peer's certificate; "": there is none.
  void refused(const Tcp::endpoint& peer, const std::string& why, const std::string& name = "");
  /// How many were left out, if their minute is over. Call it now and then: when a scan has ended,
  /// no further refusal tells.
  void tell_left_out();

 private:
  std::mutex mutex_;
  LogLimit limit_;
};

}  // namespace convoy::net::internal
