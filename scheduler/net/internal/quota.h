// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>

namespace convoy::net::internal {

/// Counts what is open of each key. Not thread-safe.
template <typename Key>
class Quota {
 public:
  explicit Quota(std::size_t most) : most_(most) {}

  /// @return false, and counts nothing, if there are too many already.
  [[nodiscard]] bool enter(const Key& key) {
    if (!has_room(key)) return false;
    ++open_[key];
    return true;
  }
  void leave(const Key& key) {
    const auto found = open_.find(key);
    if (found != open_.end() && --found->second == 0) open_.erase(found);
  }
  [[nodiscard]] bool has_room(const Key& key) const {
    const auto found = open_.find(key);
    return (found == open_.end() ? 0 : found->second) < most_;
  }

 private:
  std::size_t most_;
  std::map<Key, std::size_t> open_;
};

}  // namespace convoy::net::internal
