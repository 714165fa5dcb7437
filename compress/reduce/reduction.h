// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <coroutine>
#include <exception>
#include <utility>

#include "comm/request.h"

namespace convoy::compress {

/// The average of one bucket on its way: a coroutine that stops at every collective it needs, so
/// that one thread can move several on. It runs at once, up to the first collective. Between calls
/// nothing of it runs; destroying it drops its requests (see comm::Request). Any one thread at a
/// time.
///
/// Inside, `co_await request` and `co_await reduction` return when that is over and throw what it
/// has thrown; both must be variables, not temporaries.
class [[nodiscard]] Reduction {
 public:
  struct promise_type;
  using Handle = std::coroutine_handle<promise_type>;

  Reduction(Reduction&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Reduction& operator=(Reduction&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Reduction() {
    if (handle_) handle_.destroy();
  }

  /// Goes as far as it can without waiting. @return true when the average is there.
  /// @throws what went wrong, in this call or before.
  bool advance();
  /// Blocks until the average is there; those that have begun before it come first, because it may
  /// need their results. @throws as advance().
  void wait();
  [[nodiscard]] bool done() const { return handle_.done(); }
  /// The collective that it stands at. Only before it is done.
  [[nodiscard]] comm::Request& request() const;

 private:
  explicit Reduction(Handle handle) : handle_(handle) {}
  void resume();
  void rethrow() const;

  Handle handle_;
};

struct Reduction::promise_type {
  struct RequestAwaiter {
    promise_type& promise;
    comm::Request& request;
    bool await_ready() const { return request.test(); }
    void await_suspend(Handle) const noexcept { promise.request = &request; }
    void await_resume() const { request.wait(); }
  };
  struct ChildAwaiter {
    promise_type& promise;
    Reduction& child;
    bool await_ready() const { return child.done(); }
    void await_suspend(Handle) const noexcept { promise.child = &child; }
    void await_resume() const { child.rethrow(); }
  };

  Reduction get_return_object() { return Reduction(Handle::from_promise(*this)); }
  static std::suspend_never initial_suspend() noexcept { return {}; }
  static std::suspend_always final_suspend() noexcept { return {}; }
  void return_void() const noexcept {}
  void unhandled_exception() noexcept { error = std::current_exception(); }
  RequestAwaiter await_transform(comm::Request& what) noexcept { return {*this, what}; }
  ChildAwaiter await_transform(Reduction& what) noexcept { return {*this, what}; }

  // What it waits for: one of the two.
  comm::Request* request = nullptr;
  Reduction* child = nullptr;
  std::exception_ptr error;
};

inline void Reduction::rethrow() const {
  if (handle_.promise().error != nullptr) std::rethrow_exception(handle_.promise().error);
}

inline comm::Request& Reduction::request() const {
  const promise_type& promise = handle_.promise();
  return promise.child != nullptr ? promise.child->request() : *promise.request;
}

inline void Reduction::resume() {
  promise_type& promise = handle_.promise();
  if (promise.child != nullptr) {
    promise.child->resume();
    if (!promise.child->done()) return;
    promise.child = nullptr;
  }
  handle_.resume();
}

inline bool Reduction::advance() {
  while (!done() && request().test()) resume();
  if (done()) rethrow();
  return done();
}

inline void Reduction::wait() {
  while (!advance()) request().wait();
}

}  // namespace convoy::compress
