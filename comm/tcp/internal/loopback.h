// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>

#include "comm/internal/transport.h"
#include "comm/tcp/internal/inbox.h"

namespace convoy::comm::tcp {

/// The messages that a rank sends to itself. Guarded by the engine's mutex.
class Loopback {
 public:
  explicit Loopback(internal::ScratchPool& scratch) : in_(scratch) {}

  void send(internal::Message& message);
  void receive(internal::Message& message);
  void clear();

 private:
  Inbox in_;
  std::list<internal::Message*> waiting_;  // sent and not asked for, in order
};

}  // namespace convoy::comm::tcp
