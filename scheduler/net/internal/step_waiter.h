// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <boost/asio/error.hpp>
#include <memory>
#include <optional>

#include "scheduler/net/internal/asio.h"

namespace convoy::net::internal {

/// Lets a thread start asynchronous steps and wait for each, with a deadline, until another thread
/// cancels them.
class StepWaiter {
 public:
  [[nodiscard]] asio::io_context& context() { return context_; }

  /// Calls `start(done)`, where `done` takes an error code and whatever follows it, and waits.
  /// What `start` began may go on after a deadline: it must own what it uses, or be cancelled.
  /// @return timed_out or operation_aborted (cancel()) where `done` was not called in time.
  template <typename Start>
  [[nodiscard]] ErrorCode wait(Clock::time_point deadline, const Start& start) {
    const auto result = std::make_shared<std::optional<ErrorCode>>();
    start([result](const ErrorCode& error, const auto&...) { *result = error; });
    while (!*result && !is_cancelled_) {
      context_.restart();
      if (context_.run_one_until(deadline) == 0) return asio::error::timed_out;
    }
    if (is_cancelled_) return asio::error::operation_aborted;
    return **result;
  }

  /// From now on wait() waits again.
  void begin() { is_cancelled_ = false; }
  /// Any thread.
  void cancel() {
    is_cancelled_ = true;
    asio::post(context_, [] {});  // wakes run_one_until()
  }

 private:
  asio::io_context context_;
  std::atomic<bool> is_cancelled_ = false;
};

}  // namespace convoy::net::internal
