// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "comm/internal/wakeup.h"
#include "comm/nccl/internal/copies.h"
#include "comm/nccl/internal/places.h"
#include "comm/nccl/internal/send_turns.h"
#include "comm/nccl/internal/staged.h"

namespace convoy::comm::nccl {

/// Communicators that split off share them.
struct StagingDevice {
  StagingDevice(int number, cudaStream_t stream, bool is_direct)
      : device(number), caller(stream), direct(is_direct) {}

  int device = 0;
  cudaStream_t caller = nullptr;
  bool direct = false;
  Copies copies;
};

/// The calls on device memory of one communicator, each of which becomes one on `host`. Places are
/// taken when a call is made, so that calls may go to the host in any order. Whoever waits for or
/// tests one request of the communicator moves all of them on; there is no thread. Lock order: this
/// one's mutex before that of `host`. Shared by the communicator and its requests.
class StagingQueue : public std::enable_shared_from_this<StagingQueue> {
 public:
  StagingQueue(Communicator& host, std::shared_ptr<StagingDevice> device);

  [[nodiscard]] const StagingDevice& device() const { return *device_; }
  [[nodiscard]] std::shared_ptr<StagingDevice> shared_device() const { return device_; }
  [[nodiscard]] bool poisoned() const;
  [[nodiscard]] std::uint64_t bytes_sent() const;
  void wake();
  void set_context(std::uint32_t context);
  [[nodiscard]] std::uint64_t reserve(int count, PlaceFor what);

  using OperationPtr = std::unique_ptr<internal::Operation>;
  /// Makes a call on device memory, with the device current, at the place of `turn`, and starts it.
  /// @throws CommError; ContractError for a place that is not reserved for it.
  using Plan = std::function<StagedPlan(Turn turn)>;
  [[nodiscard]] OperationPtr start(internal::Call call, Turn turn,
                                   std::vector<std::shared_ptr<void>> owners, const Plan& plan);
  /// The same for a message to or from `peer`, which goes to the host after those before it. One of
  /// host memory goes there as it is where none waits.
  [[nodiscard]] OperationPtr start_message(internal::Call call, int peer, int tag,
                                           std::shared_ptr<void> owner, bool is_host,
                                           const std::function<StagedPlan()>& plan);
  /// Hands a call on host memory on as it is; the host checks its turn.
  [[nodiscard]] OperationPtr start_on_host(const internal::Call& call, const HostCall::Start& start,
                                           Turn turn = {});

  /// Waits until all calls have gone to the host: whoever blocks there then moves them on, as far
  /// as other ranks are concerned. @throws CommError.
  void hand_over();
  /// See Communicator::give_up().
  void give_up(const std::string& why) noexcept;
  /// The communicator is being destroyed: calls still under way fail.
  void close();

 private:
  class RequestHandle;
  class HostHandle;
  using Clock = std::chrono::steady_clock;
  using CallPtr = std::shared_ptr<StagedCall>;

  bool poll(StagedCall& call);
  bool wait(StagedCall& call, std::chrono::milliseconds timeout,
            const std::function<bool()>& enough, std::chrono::microseconds longest_nap);
  /// Waits for the call on the host until it is over, `enough` says true or it has failed.
  void wait_on_host(StagedCall& call, Request& request, Clock::time_point deadline,
                    const std::function<bool()>& enough, std::chrono::microseconds longest_nap);
  void abandon(StagedCall& call) noexcept;
  /// Moves all calls on.
  void move_on();
  [[nodiscard]] Request* lend(StagedCall& call);

  // The following need mutex_.
  [[nodiscard]] static bool is_over(const StagedCall& call);
  void check_open(const internal::Call& call) const;
  [[nodiscard]] Turn place(internal::Call& call, Turn turn);
  [[nodiscard]] OperationPtr hand_on(const HostCall::Start& start);
  [[nodiscard]] OperationPtr begin(const internal::Call& call,
                                   std::vector<std::shared_ptr<void>> owners, StagedPlan plan,
                                   std::optional<SendTurn> turn);
  // The following also needs the device.
  void progress();
  /// Runs `step`; what it throws fails the call.
  template <typename Step>
  void attempt(StagedCall& call, const Step& step);
  void fail(StagedCall& call, const std::string& text, bool by_peer);
  void poison(const std::string& why);
  [[nodiscard]] bool come_to_rest() const noexcept;
  [[nodiscard]] std::string describe(const internal::Call& call) const;

  mutable std::mutex mutex_;
  internal::Wakeup wakeup_;
  Communicator* host_;  // null once closed
  std::shared_ptr<StagingDevice> device_;
  int rank_;
  int size_;
  std::chrono::milliseconds timeout_;
  Places places_;
  SendTurns sends_;
  SendTurns receives_;
  std::vector<CallPtr> active_;            // in the order of the calls
  std::atomic<std::size_t> under_way_{0};  // as many
  std::uint64_t messages_ = 0;
  std::optional<std::uint32_t> context_;  // none: nobody has set one here
  std::uint64_t bytes_sent_ = 0;          // once closed
  std::string poison_;                    // why, once poisoned_
  std::atomic<bool> poisoned_{false};
};

}  // namespace convoy::comm::nccl
