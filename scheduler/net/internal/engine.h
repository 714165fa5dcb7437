// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "scheduler/net/internal/asio.h"

namespace convoy::net::internal {

/// An io_context and the threads that run it. Shared by its owner (a Listener, a Dialer) and its
/// connections, which their users may hold for longer than the owner lives.
class Engine {
 public:
  explicit Engine(std::size_t threads);
  /// stop() was called, or the last thread that runs it is not this one.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  [[nodiscard]] asio::io_context& context() { return context_; }
  [[nodiscard]] Strand new_strand() { return asio::make_strand(context_); }

  /// Runs `task` on `strand`; after stop() drops it. Any thread.
  void post(const Strand& strand, std::function<void()> task);
  /// Waits until there is nothing left to do; what has been posted is done. Not from its threads.
  void stop();

 private:
  void run();

  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::mutex mutex_;
  bool open_ = true;
  std::vector<std::jthread> threads_;
};

}  // namespace convoy::net::internal
