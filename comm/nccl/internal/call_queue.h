// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "comm/communicator.h"
#include "comm/internal/history.h"
#include "comm/internal/wakeup.h"
#include "comm/nccl/internal/marks.h"
#include "comm/nccl/internal/pending_call.h"
#include "comm/nccl/internal/places.h"
#include "comm/nccl/internal/send_turns.h"

namespace convoy::comm::nccl {

/// The communicators that bring what NCCL does not, over the ranks of the bootstrap.
struct HostSide {
  std::unique_ptr<Communicator> data;    ///< host memory, send(), recv() and barrier()
  std::unique_ptr<Communicator> marks;   ///< null unless calls are checked
  std::shared_ptr<Communicator> splits;  ///< shared with a split that is under way
};

/// The calls of one communicator. Collectives begin in the order of their places, whatever the
/// order of the calls, because NCCL needs one order on all ranks; a place that has not been called
/// holds back those after it. Whoever waits for or tests one call moves all of them on, under one
/// mutex; there is no thread. Shared by the communicator and its requests.
class CallQueue : public std::enable_shared_from_this<CallQueue> {
 public:
  CallQueue(std::unique_ptr<Connection> connection, HostSide host,
            const CommunicatorOptions& options);

  [[nodiscard]] Connection& connection() { return *connection_; }
  [[nodiscard]] bool poisoned() const { return poisoned_; }
  [[nodiscard]] std::uint64_t bytes_sent() const;
  void wake() { wakeup_.signal(); }
  void set_context(std::uint32_t context) { context_ = context; }
  void set_chunk_bytes(std::size_t bytes);
  [[nodiscard]] std::uint64_t reserve(int count, PlaceFor what);
  /// What splits begin with. @throws CommError where the communicator is poisoned.
  [[nodiscard]] std::shared_ptr<Communicator> host_for_splits();

  /// Makes a call, with the device current, and starts it. `host` is the communicator that host
  /// memory travels over, `turns` the order of sends.
  /// @throws CommError; ContractError for a place that is not reserved for it.
  using Make = std::function<std::shared_ptr<PendingCall>(Communicator& host, SendTurns& turns)>;
  [[nodiscard]] std::unique_ptr<internal::Operation> start(internal::Call call, const Make& make,
                                                           Turn turn = {});
  /// Adds to bytes_sent() what host communicators do not count.
  void count_sent(std::uint64_t bytes) { bytes_sent_ += bytes; }
  /// See Communicator::give_up(): aborts NCCL, which takes everything back.
  void give_up(const std::string& why) noexcept;
  /// The communicator is being destroyed: calls still under way fail.
  void close();

 private:
  class RequestHandle;
  using Clock = std::chrono::steady_clock;
  using CallPtr = std::shared_ptr<PendingCall>;

  bool poll(PendingCall& call);
  bool wait(PendingCall& call, std::chrono::milliseconds timeout,
            const std::function<bool()>& enough, std::chrono::microseconds longest_nap);
  void abandon(PendingCall& call) noexcept;

  // The following need mutex_.
  [[nodiscard]] static bool is_over(const PendingCall& call);
  void place(internal::Call& call, Turn turn);
  // The following also need the device.
  void progress();
  void announce(PendingCall& call);
  void compare_marks();
  void begin_unordered();
  void begin_ordered();
  /// False while NCCL has not taken what has begun last.
  [[nodiscard]] bool last_has_begun();
  void advance_all();
  void check_connection();
  /// Runs `step`; what it throws fails the call. @return false then.
  template <typename Step>
  bool attempt(PendingCall& call, const Step& step);
  void fail(PendingCall& call, const std::string& text, bool by_peer);
  void poison(const std::string& why);
  [[nodiscard]] std::string describe(const internal::Call& call) const;
  [[nodiscard]] std::string describe_delay(const PendingCall& call,
                                           std::chrono::milliseconds waited) const;
  /// The place that the call waits for: its own, or the one that holds it back.
  [[nodiscard]] std::uint64_t held_back_by(const PendingCall& call) const;
  void log_last_calls(const PendingCall& failed) const;

  mutable std::mutex mutex_;
  internal::Wakeup wakeup_;
  std::unique_ptr<Connection> connection_;
  HostSide host_;
  std::unique_ptr<Marks> marks_;  // null unless calls are checked
  CommunicatorOptions options_;
  Places places_;
  SendTurns send_turns_;
  std::vector<CallPtr> active_;               // in the order of the calls
  std::map<std::uint64_t, CallPtr> waiting_;  // collectives that have not begun, by place
  CallPtr beginning_;                         // NCCL has not taken all of it yet
  std::uint64_t next_ = 1;                    // the place that begins next
  std::uint64_t user_calls_ = 0;
  std::atomic<std::uint32_t> context_{0};
  internal::History history_;
  std::string poison_;  // why, once poisoned_
  std::atomic<bool> poisoned_{false};
  std::atomic<std::uint64_t> bytes_sent_{0};  // without those that host_.data counts
};

}  // namespace convoy::comm::nccl
