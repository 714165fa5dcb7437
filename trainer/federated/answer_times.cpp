// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/answer_times.h"

#include <algorithm>
#include <cstddef>

namespace convoy::trainer {

AnswerSummary AnswerTimes::summary() const {
  if (seconds_.empty()) return {};
  std::vector<double> seconds = seconds_;
  const auto at = [&](double share) {
    const auto index = static_cast<std::size_t>(share * static_cast<double>(seconds.size() - 1));
    std::nth_element(seconds.begin(), seconds.begin() + static_cast<std::ptrdiff_t>(index),
                     seconds.end());
    return seconds[index];
  };
  return {.count = static_cast<std::int64_t>(seconds.size()),
          .median = at(0.5),
          .p99 = at(0.99),
          .maximum = at(1.0)};
}

}  // namespace convoy::trainer
