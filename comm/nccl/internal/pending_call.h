// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "comm/internal/exchange.h"
#include "comm/nccl/internal/collectives.h"

namespace convoy::comm::nccl {

/// One operation of an NCCL communicator, from its call to its end. Guarded by the queue's mutex;
/// its methods are called with the device current and throw CommErrors.
class PendingCall {
 public:
  enum class State : std::uint8_t { kWaiting, kBeginning, kUnderWay, kDone, kFailed };

  explicit PendingCall(const internal::Call& made) : call(made) {}
  virtual ~PendingCall() = default;
  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;

  virtual void begin() = 0;
  /// Asked until it is true; until then no other call begins.
  [[nodiscard]] virtual bool has_begun() { return true; }
  /// Asked until it is true.
  [[nodiscard]] virtual bool is_over() = 0;
  /// The communicators that it may use on the host have been closed.
  virtual void drop() noexcept {}
  /// True for what NCCL does.
  [[nodiscard]] virtual bool on_device() const { return false; }
  /// Who has not come yet, as far as the call knows.
  [[nodiscard]] virtual std::string whom_it_waits_for() const { return "not complete"; }

  [[nodiscard]] bool is_active() const { return state < State::kDone; }
  void keep(std::shared_ptr<void> owner) { owners_.push_back(std::move(owner)); }

  internal::Call call;
  State state = State::kWaiting;
  std::string failure;
  bool failed_by_peer = false;
  bool agreed = false;  ///< all ranks call the same, as far as that is checked

 private:
  std::vector<std::shared_ptr<void>> owners_;
};

/// A collective on device memory: after `caller`, the stream of whoever calls, on NCCL's stream.
class DeviceCall final : public PendingCall {
 public:
  DeviceCall(const internal::Call& made, Connection& connection, cudaStream_t caller,
             Launch launch);
  void begin() override;
  [[nodiscard]] bool has_begun() override;
  [[nodiscard]] bool is_over() override { return nccl::is_over(done_); }
  [[nodiscard]] bool on_device() const override { return true; }

 private:
  Connection& connection_;
  Launch launch_;
  Event ready_;  // the caller's stream has come to the call
  Event done_;
};

/// An operation on host memory: one of the bootstrap's kind.
class HostCall final : public PendingCall {
 public:
  using Start = std::function<Request(Communicator&)>;
  HostCall(const internal::Call& made, Communicator& host, Start start)
      : PendingCall(made), host_(host), start_(std::move(start)) {}
  void begin() override;
  [[nodiscard]] bool is_over() override { return request_.test(); }
  void drop() noexcept override;

 private:
  Communicator& host_;
  Start start_;
  Request request_;
};

/// Takes what a request of a closed communicator ends with, so that nobody waits for it.
void drop_request(Request& request) noexcept;

}  // namespace convoy::comm::nccl
