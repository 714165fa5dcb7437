// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/message_rate.h"

#include <algorithm>

#include "base/errors.h"

namespace convoy::net::internal {
namespace {

constexpr double kWindowSeconds = 10.0;

}  // namespace

MessageRate::MessageRate(double per_second)
    : per_second_(per_second), allowed_(per_second * kWindowSeconds) {
  require(allowed_ >= 1.0, "MessageRate: nothing would ever be let through");
}

bool MessageRate::take(Time now) {
  const double passed = std::chrono::duration<double>(now - last_).count();
  allowed_ = std::min(allowed_ + passed * per_second_, per_second_ * kWindowSeconds);
  last_ = now;
  if (allowed_ < 1.0) return false;
  allowed_ -= 1.0;
  return true;
}

}  // namespace convoy::net::internal
