// SPDX-License-Identifier: Apache-2.0
#include "trainer/privacy/poisson.h"

namespace convoy::trainer::privacy {

std::vector<std::int64_t> poisson_sample(std::span<const std::int64_t> records, double q,
                                         Entropy& entropy) {
  std::vector<std::int64_t> chosen;
  for (const std::int64_t record : records) {
    if (entropy.happens(q)) chosen.push_back(record);
  }
  return chosen;
}

}  // namespace convoy::trainer::privacy
