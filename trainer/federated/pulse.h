// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "comm/communicator.h"

namespace convoy::trainer {

/// A client rank's signs of life, on a thread of its own: however long a training step takes, the
/// server hears every `period` that the process runs.
class Pulse {
 public:
  /// Borrows `communicator`. @param period  above 0.
  Pulse(comm::Communicator& communicator, std::chrono::milliseconds period);
  /// Says farewell, unless an exception is on its way out.
  ~Pulse();
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;

 private:
  void beat(const std::stop_token& stop);
  void send(double sign);

  comm::Communicator& communicator_;
  std::chrono::milliseconds period_;
  int exceptions_;
  comm::Request sent_;  ///< the thread's, then the destructor's
  std::mutex mutex_;
  std::condition_variable_any never_;  ///< the thread's sleep, which only its end disturbs
  std::jthread thread_;
};

}  // namespace convoy::trainer
