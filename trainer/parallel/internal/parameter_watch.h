// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstddef>
#include <functional>
#include <thread>
#include <unordered_map>
#include <vector>

namespace convoy::trainer::internal {

/// Sees parameters just before operations of LibTorch use them, whether modules are written in C++
/// or scripted. While started, each operation of that thread costs less than a microsecond. What
/// reads a parameter's memory without such an operation, or in another thread, is not seen.
class ParameterWatch {
 public:
  /// `before_use(index)` is called each time, before the operation runs; it must not throw, and may
  /// itself run operations.
  ParameterWatch(const std::vector<torch::Tensor>& parameters,
                 std::function<void(std::size_t)> before_use);
  ~ParameterWatch();
  ParameterWatch(const ParameterWatch&) = delete;
  ParameterWatch& operator=(const ParameterWatch&) = delete;

  /// Watches the calling thread, until stop() or the end in the same thread. Both may be called
  /// twice. Of several, the one that started first is told first. @throws ContractError in another
  /// thread while started.
  void start();
  /// The same, but is told before those that watch already.
  void start_first();
  void stop();

  /// An operation is about to use `tensor`.
  void look_at(const torch::Tensor& tensor) const;

 private:
  void start(bool first);

  // Parameters and whatever else shares their memory: views may have been made before.
  std::unordered_map<const c10::StorageImpl*, std::vector<std::size_t>> parameters_;
  std::function<void(std::size_t)> before_use_;
  std::thread::id watched_;  // while started
};

}  // namespace convoy::trainer::internal
