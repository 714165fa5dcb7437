// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace convoy::launch {

/// Threads that compute (multiply and add, inside the second-level cache) until it is destroyed,
/// and count what they get done.
class ComputeLoad {
 public:
  explicit ComputeLoad(int threads);
  ~ComputeLoad();
  ComputeLoad(const ComputeLoad&) = delete;
  ComputeLoad& operator=(const ComputeLoad&) = delete;

  /// Units of some 50 us that all threads have done so far.
  [[nodiscard]] std::int64_t done() const { return done_; }

 private:
  void compute();

  std::atomic<bool> stop_{false};
  std::atomic<std::int64_t> done_{0};
  std::vector<std::jthread> threads_;  // last: they use the others
};

}  // namespace convoy::launch
