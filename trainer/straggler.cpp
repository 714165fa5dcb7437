// SPDX-License-Identifier: Apache-2.0
#include "trainer/straggler.h"

#include <algorithm>
#include <vector>

#include "base/errors.h"
#include "comm/values.h"

namespace convoy::trainer {

Straggler slowest_of(std::span<const double> own, std::span<const double> exposed) {
  require(own.size() == exposed.size() && own.size() > 1, "slowest_of: needs two ranks or more");
  const auto slowest = std::ranges::max_element(own);
  double waited = 0.0;
  for (std::size_t rank = 0; rank < own.size(); ++rank) {
    waited += std::min(*slowest - own[rank], exposed[rank]);
  }
  return {static_cast<int>(slowest - own.begin()), waited / static_cast<double>(own.size() - 1)};
}

Straggler find_straggler(comm::Communicator& communicator, const StepSeconds& sums,
                         std::int64_t steps) {
  const auto all = comm::all_gather_values(
      communicator, std::vector{sums.computing() + sums.optimizer, sums.exposed});
  std::vector<double> own;
  std::vector<double> exposed;
  for (std::size_t i = 0; i < all.size(); i += 2) {
    own.push_back(all[i] / static_cast<double>(steps));
    exposed.push_back(all[i + 1] / static_cast<double>(steps));
  }
  return slowest_of(own, exposed);
}

}  // namespace convoy::trainer
