// SPDX-License-Identifier: Apache-2.0
#pragma once

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

/// Sends leave in the order of their calls, whatever they have to wait for.
class SendTurns {
 public:
  [[nodiscard]] SendTurn take(int peer, int tag) {
    std::shared_ptr<void> own = std::make_shared<char>();
    return {std::exchange(last_[{peer, tag}], own), own};
  }

 private:
  std::map<std::pair<int, int>, std::weak_ptr<void>> last_;  // by peer and tag
};

}  // namespace convoy::comm::nccl
