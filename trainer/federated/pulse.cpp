// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/pulse.h"

#include <exception>

#include "base/log.h"
#include "trainer/federated/message_passing.h"

namespace convoy::trainer {

Pulse::Pulse(comm::Communicator& communicator, std::chrono::milliseconds period)
    : communicator_(communicator),
      period_(period),
      exceptions_(std::uncaught_exceptions()),
      thread_([this](const std::stop_token& stop) {
        try {
          beat(stop);
        } catch (const std::exception& error) {
          // The client's own calls fail too, and say so to everybody.
          logger("trainer")->error("no more signs of life: {}", error.what());
        }
      }) {}

Pulse::~Pulse() {
  thread_.request_stop();
  thread_.join();
  if (std::uncaught_exceptions() > exceptions_ || communicator_.poisoned()) return;
  try {
    messages::await(sent_);
    send(messages::kFarewell);
    messages::await(sent_);
  } catch (const std::exception& error) {
    logger("trainer")->error("no farewell: {}", error.what());
  }
}

void Pulse::beat(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (sent_.test()) send(messages::kAlive);
    never_.wait_for(lock, stop, period_, [] { return false; });
  }
}

void Pulse::send(double sign) {
  sent_ = messages::send_owned(communicator_, messages::Sign{sign}, 0, messages::kSignUp);
}

}  // namespace convoy::trainer
