// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "comm/nccl/internal/copies.h"
#include "comm/nccl/internal/pending_call.h"
#include "comm/nccl/internal/send_turns.h"

namespace convoy::comm::nccl {

/// A call on device memory that goes over a communicator of host memory. What is copied must not be
/// freed before it has been; the owners of pinned memory are in `start` or kept by the call.
struct StagedPlan {
  std::vector<Copy> in = {};    ///< before the call on the host
  std::vector<Copy> back = {};  ///< after it
  HostCall::Start start = {};   ///< the call on the host
  std::string late = {};        ///< while that is under way: who has not come
  /// The call on the host touches the caller's own memory, so that it comes after the caller's
  /// stream also where nothing is copied before.
  bool is_direct = false;
};

/// Such a call; with empty lists also one of host memory that has to wait for its turn.
class StagedCall final : public PendingCall {
 public:
  /// @param caller  the copies come after what stands on this stream now.
  StagedCall(const internal::Call& made, const Copies& copies, cudaStream_t caller,
             Communicator& host, StagedPlan plan, std::optional<SendTurn> turn = {});
  void begin() override;
  [[nodiscard]] bool is_over() override;
  void drop() noexcept override;
  [[nodiscard]] std::string whom_it_waits_for() const override;

  /// True when the call on the host has been made.
  [[nodiscard]] bool has_left() const { return stage_ != Stage::kBefore; }
  /// The request of the call on the host, for somebody who waits for it until take_back(); null
  /// where there is none under way, or somebody does already.
  [[nodiscard]] Request* lend();
  void take_back() { is_lent_ = false; }

 private:
  enum class Stage : std::uint8_t { kBefore, kOnHost, kBack };
  void leave();
  [[nodiscard]] bool may_leave() const;

  const Copies& copies_;
  Communicator& host_;
  StagedPlan plan_;
  Event ready_;   // the caller's stream has come to the call
  Event copied_;  // in, then back
  std::optional<SendTurn> turn_;
  Stage stage_ = Stage::kBefore;
  bool is_lent_ = false;
  Request request_;
};

}  // namespace convoy::comm::nccl
