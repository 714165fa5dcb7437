// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>
#include <vector>

namespace convoy::compress {

/// Work space that is used over and over, so that its memory is allocated once. One thread;
/// outlives its leases.
template <typename T>
class Pool {
 public:
  struct Return {
    Pool* pool;
    void operator()(T* used) const { pool->free_.emplace_back(used); }
  };
  using Lease = std::unique_ptr<T, Return>;

  /// As its last user has left it.
  [[nodiscard]] Lease take() {
    if (free_.empty()) return Lease(new T, Return{this});
    auto one = std::move(free_.back());
    free_.pop_back();
    return Lease(one.release(), Return{this});
  }

 private:
  std::vector<std::unique_ptr<T>> free_;
};

}  // namespace convoy::compress
