// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "comm/communicator.h"

namespace convoy::compress {

/// Counts the bytes that a communicator sends from the first bucket of a step to its end.
class SentMeter {
 public:
  explicit SentMeter(const comm::Communicator& communicator) : communicator_(communicator) {}

  void start() {
    if (running_) return;
    running_ = true;
    before_ = communicator_.bytes_sent();
  }
  void stop() {
    if (running_) bytes_ += communicator_.bytes_sent() - before_;
    running_ = false;
  }
  /// Up to the last stop().
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  const comm::Communicator& communicator_;
  bool running_ = false;
  std::uint64_t before_ = 0;  // by the communicator, when it was started
  std::uint64_t bytes_ = 0;
};

}  // namespace convoy::compress
