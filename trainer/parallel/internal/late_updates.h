// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstddef>
#include <exception>
#include <functional>
#include <vector>

#include "trainer/parallel/internal/parameter_watch.h"

namespace convoy::trainer::internal {

/// Updates of parameters that are put off until somebody uses them: each is made once, before the
/// first operation on its parameter or by drain(). One thread.
class LateUpdates {
 public:
  /// `update(index)` makes one; it may wait and throw.
  LateUpdates(const std::vector<torch::Tensor>& parameters,
              std::function<void(std::size_t)> update);

  /// From now on all are put off.
  void start();
  /// Makes those that are left, in order. @throws what an update threw, here or in an operation:
  /// through LibTorch it cannot travel. After the first failure no more are made.
  void drain();
  [[nodiscard]] bool pending() const { return pending_; }

  /// True for what the last drain() had to make: no operation on that parameter was seen before.
  [[nodiscard]] bool was_unseen(std::size_t parameter) const { return unseen_[parameter]; }
  void forget_unseen() { unseen_.assign(unseen_.size(), false); }

 private:
  void before_use(std::size_t parameter);

  std::function<void(std::size_t)> update_;
  bool pending_ = false;
  std::vector<bool> left_;  // by parameter
  std::vector<bool> unseen_;
  std::exception_ptr error_;
  ParameterWatch watch_;  // last: calls in here
};

}  // namespace convoy::trainer::internal
