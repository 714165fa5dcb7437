// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/refusal_log.h"

#include <spdlog/fmt/fmt.h>

#include "base/log.h"
#include "scheduler/net/internal/admission.h"
#include "scheduler/net/internal/asio_connection.h"

namespace convoy::net::internal {

void RefusalLog::refused(const Tcp::endpoint& peer, const std::string& why,
                         const std::string& name) {
  tell_left_out();
  const std::string kind = why.substr(0, why.find(':'));
  const std::string what = network_of(peer.address()).to_string() + " " + kind;
  {
    const std::scoped_lock lock(mutex_);
    if (!limit_.admit(what, Clock::now())) return;
  }
  const std::string who = name.empty() ? "" : fmt::format(" ({})", name);
  logger("net")->warn("{}{}: refused: {}", text_of(peer), who, why);
}

void RefusalLog::tell_left_out() {
  std::size_t count = 0;
  {
    const std::scoped_lock lock(mutex_);
    count = limit_.take_left_out(Clock::now());
  }
  if (count > 0) logger("net")->warn("{} more were refused in a minute", count);
}

}  // namespace convoy::net::internal
