// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/backoff.h"

#include <algorithm>

namespace convoy::trainer {

std::chrono::milliseconds Backoff::next() {
  constexpr int kMostDoublings = 20;
  const auto grown = limits_.first * (std::int64_t{1} << std::min(failures_, kMostDoublings));
  ++failures_;
  const auto whole = std::min<std::chrono::milliseconds>(grown, limits_.most);
  const double part = 0.5 + 0.5 * random_.uniform();
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(part * static_cast<double>(whole.count())));
}

}  // namespace convoy::trainer
