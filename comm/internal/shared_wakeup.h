// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comm/internal/shared_area.h"
#include "comm/internal/wakeup.h"

namespace convoy::comm::internal {

/// Wakes whoever sleeps on it, in this process or another one.
void ring(SharedArea::Bell& bell);

/// Sleeps on a bell of the shared area, so that other processes can end the sleep.
class SharedWakeup final : public Wakeup {
 public:
  explicit SharedWakeup(SharedArea::Bell& bell) : bell_(bell) {}

  [[nodiscard]] std::uint64_t ticket() const override { return bell_.rings; }
  void signal() override { ring(bell_); }
  void wait(std::uint64_t ticket, std::chrono::nanoseconds at_most) override;

 private:
  SharedArea::Bell& bell_;
};

}  // namespace convoy::comm::internal
