// SPDX-License-Identifier: Apache-2.0
#include "comm/nccl/internal/staged.h"

#include <utility>

#include "comm/nccl/internal/check.h"

namespace convoy::comm::nccl {

StagedCall::StagedCall(const internal::Call& made, const Copies& copies, cudaStream_t caller,
                       Communicator& host, StagedPlan plan, std::optional<SendTurn> turn)
    : PendingCall(made),
      copies_(copies),
      host_(host),
      plan_(std::move(plan)),
      turn_(std::move(turn)) {
  const bool copies_something = !plan_.in.empty() || !plan_.back.empty();
  if (copies_something) copied_ = make_event();
  if (!copies_something && !plan_.is_direct) return;
  ready_ = make_event();
  check_cuda(cudaEventRecord(ready_.get(), caller), "cudaEventRecord");
}

void StagedCall::begin() {
  if (!plan_.in.empty()) copies_.start(plan_.in, ready_, copied_);
  if (may_leave()) leave();
}

bool StagedCall::may_leave() const {
  if (turn_ && !turn_->has_come()) return false;
  if (!plan_.in.empty()) return nccl::is_over(copied_);
  return !plan_.is_direct || nccl::is_over(ready_);
}

void StagedCall::leave() {
  request_ = plan_.start(host_);
  stage_ = Stage::kOnHost;
  if (turn_) turn_->end();
}

bool StagedCall::is_over() {
  if (stage_ == Stage::kBefore) {
    if (!may_leave()) return false;
    leave();
  }
  if (stage_ == Stage::kOnHost) {
    if (is_lent_ || !request_.test()) return false;
    if (!plan_.back.empty()) copies_.start(plan_.back, ready_, copied_);
    stage_ = Stage::kBack;
  }
  return plan_.back.empty() || nccl::is_over(copied_);
}

Request* StagedCall::lend() {
  if (stage_ != Stage::kOnHost || is_lent_ || !request_.pending()) return nullptr;
  is_lent_ = true;
  return &request_;
}

void StagedCall::drop() noexcept {
  if (!is_lent_) drop_request(request_);
}

std::string StagedCall::whom_it_waits_for() const {
  if (stage_ == Stage::kOnHost) return plan_.late;
  if (stage_ == Stage::kBack || !turn_ || turn_->has_come()) {
    return "the device has not come to it";
  }
  return "an earlier one to the same rank has not left";
}

}  // namespace convoy::comm::nccl
