// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "comm/nccl/internal/pending_call.h"

namespace convoy::comm::nccl {

// send() and recv() of device memory go through pinned memory and the bootstrap. NCCL's own have no
// tags and need one order of all messages of all ranks: a receive that is posted too early would
// hold everything back that stands behind it, where send() and recv() promise any order.

class StagedSend final : public PendingCall {
 public:
  StagedSend(const internal::Call& made, Connection& connection, cudaStream_t caller,
             Communicator& host, const ConstBuffer& values, int peer, int tag, SendTurn turn);
  void begin() override;
  [[nodiscard]] bool is_over() override;
  void drop() noexcept override { drop_request(request_); }
  [[nodiscard]] std::string whom_it_waits_for() const override;

 private:
  Connection& connection_;
  Communicator& host_;
  ConstBuffer values_;
  int peer_;
  int tag_;
  std::shared_ptr<PinnedMemory> staging_;  // shared with a message that may outlive the call
  Event ready_;
  Event copied_;
  SendTurn turn_;
  bool sending_ = false;
  Request request_;
};

class StagedRecv final : public PendingCall {
 public:
  StagedRecv(const internal::Call& made, Connection& connection, cudaStream_t caller,
             Communicator& host, const Buffer& values, int peer, int tag);
  void begin() override;
  [[nodiscard]] bool is_over() override;
  void drop() noexcept override { drop_request(request_); }
  [[nodiscard]] std::string whom_it_waits_for() const override;

 private:
  Connection& connection_;
  Communicator& host_;
  Buffer values_;
  int peer_;
  int tag_;
  std::shared_ptr<PinnedMemory> staging_;  // shared with a message that may outlive the call
  Event ready_;
  Event copied_;
  bool copying_ = false;
  Request request_;
};

}  // namespace convoy::comm::nccl
