// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/late_updates.h"

#include <utility>

namespace convoy::trainer::internal {

LateUpdates::LateUpdates(const std::vector<torch::Tensor>& parameters,
                         std::function<void(std::size_t)> update)
    : update_(std::move(update)),
      left_(parameters.size()),
      unseen_(parameters.size()),
      watch_(parameters, [this](std::size_t parameter) { before_use(parameter); }) {}

void LateUpdates::start() {
  left_.assign(left_.size(), true);
  pending_ = true;
  watch_.start();
}

void LateUpdates::drain() {
  if (!pending_) return;
  watch_.stop();
  pending_ = false;
  unseen_ = left_;
  for (std::size_t i = 0; i < left_.size() && error_ == nullptr; ++i) before_use(i);
  if (error_ != nullptr) std::rethrow_exception(error_);
}

void LateUpdates::before_use(std::size_t parameter) {
  if (!left_[parameter] || error_ != nullptr) return;
  left_[parameter] = false;  // first: making it uses it
  try {
    update_(parameter);
  } catch (...) {
    error_ = std::current_exception();
  }
}

}  // namespace convoy::trainer::internal
