// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/engine.h"

#include <exception>
#include <utility>

#include "base/log.h"

namespace convoy::net::internal {

Engine::Engine(std::size_t threads) : work_(asio::make_work_guard(context_)) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

Engine::~Engine() { stop(); }

void Engine::post(const Strand& strand, std::function<void()> task) {
  const std::scoped_lock lock(mutex_);
  if (open_) asio::post(strand, std::move(task));
}

void Engine::stop() {
  work_.reset();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  {
    const std::scoped_lock lock(mutex_);
    open_ = false;
  }
  // Tasks that came after the last thread had found nothing to do: they may hold connections, which
  // hold this.
  context_.restart();
  run();
}

void Engine::run() {
  for (;;) {
    try {
      context_.run();
      return;
    } catch (const std::exception& error) {  // of no connection: those catch their own
      logger("net")->error("in a network thread: {}", error.what());
    }
  }
}

}  // namespace convoy::net::internal
