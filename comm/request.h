// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace convoy::comm {

namespace internal {

/// One operation under way; what a backend hands to its Request. Holds the buffers' owners.
class Operation {
 public:
  virtual ~Operation() = default;
  /// Moves all operations of the communicator on; true when this one is done.
  /// @throws CommError when it failed.
  virtual bool poll() = 0;
  /// Returns true when this one is done, or false when `enough`, where given, says true.
  /// @throws CommError when it failed or `timeout` has passed.
  /// It sleeps for `longest_nap` at most between two looks.
  virtual bool wait(std::chrono::milliseconds timeout, const std::function<bool()>& enough,
                    std::chrono::microseconds longest_nap) = 0;
  /// Nobody will wait for this one: waits until the default timeout, logs a failure and goes on.
  /// At once, with the communicator poisoned, where an exception is on its way out and either the
  /// backend can take its messages back or all buffers have owners.
  virtual void abandon() noexcept = 0;
  /// The timeout that the communicator was made with.
  [[nodiscard]] virtual std::chrono::milliseconds default_timeout() const = 0;
};

}  // namespace internal

inline constexpr std::chrono::microseconds kAnyNap = std::chrono::hours(1);

/// Handle of one asynchronous operation. Move-only; wait() exactly once, or let the destructor do
/// it: a request that is still pending when it is destroyed waits until its timeout and then leaves
/// the communicator poisoned, with a line in the log. Any one thread at a time.
/// Operations of one communicator move on whenever one of its requests is waited for or tested, so
/// requests may be waited for in any order.
class [[nodiscard]] Request {
 public:
  Request() = default;
  explicit Request(std::unique_ptr<internal::Operation> operation);
  Request(Request&&) noexcept = default;
  Request& operator=(Request&& other) noexcept;
  ~Request();

  /// Returns when the buffers hold the result; at once when there is nothing to wait for.
  /// @throws CommError that names operation, rank, peer and sizes; the communicator is then
  ///         poisoned: every later call on it throws as well.
  void wait();
  void wait(std::chrono::milliseconds timeout);
  /// True when done (then wait() returns at once). @throws as wait().
  [[nodiscard]] bool test();
  /// Waits as wait() does and returns true, or false once `enough` returns true: it is asked before
  /// every sleep, and again after Communicator::wake(). What it looks at is changed before wake().
  /// @param longest_nap  it asks so often in any case: for what no event of this communicator
  /// tells.
  [[nodiscard]] bool wait_or(const std::function<bool()>& enough,
                             std::chrono::microseconds longest_nap = kAnyNap);
  /// The same with a timeout of its own.
  [[nodiscard]] bool wait_or(const std::function<bool()>& enough,
                             std::chrono::microseconds longest_nap,
                             std::chrono::milliseconds timeout);
  [[nodiscard]] bool pending() const { return operation_ != nullptr; }

 private:
  template <typename Look>
  bool settle(const Look& look);
  void finish_quietly() noexcept;

  std::unique_ptr<internal::Operation> operation_;
};

}  // namespace convoy::comm
