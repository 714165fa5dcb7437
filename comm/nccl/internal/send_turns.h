// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <utility>

namespace convoy::comm::nccl {

/// The place of one send among those to its peer with its tag. It ends with end() or with this.
class SendTurn {
 public:
  SendTurn(std::weak_ptr<void> before, std::shared_ptr<void> own)
      : before_(std::move(before)), own_(std::move(own)) {}
  /// True when those before it have ended.
  [[nodiscard]] bool has_come() const { return before_.expired(); }
  void end() { own_.reset(); }

 private:
  std::weak_ptr<void> before_;
  std::shared_ptr<void> own_;  // shared with nobody: the next one looks whether it is still there
};

/// Sends leave in the order of their calls, whatever they have to wait for; or receives.
class SendTurns {
 public:
  [[nodiscard]] SendTurn take(int peer, int tag) {
    forget_ended();
    std::shared_ptr<void> own = std::make_shared<char>();
    return {std::exchange(last_[{peer, tag}], own), own};
  }
  /// True when none has to be waited for.
  [[nodiscard]] bool is_free(int peer, int tag) const {
    const auto last = last_.find({peer, tag});
    return last == last_.end() || last->second.expired();
  }
  /// Pairs of peer and tag that it remembers.
  [[nodiscard]] std::size_t size() const { return last_.size(); }

 private:
  // Seldom enough to cost nothing, often enough to keep few more than are under way.
  void forget_ended() {
    if (last_.size() < forget_at_) return;
    std::erase_if(last_, [](const auto& entry) { return entry.second.expired(); });
    forget_at_ = 2 * last_.size() + kFew;
  }

  static constexpr std::size_t kFew = 16;
  std::map<std::pair<int, int>, std::weak_ptr<void>> last_;  // by peer and tag
  std::size_t forget_at_ = kFew;
};

}  // namespace convoy::comm::nccl
