// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/by_maker.h"

#include <algorithm>
#include <numeric>

#include "comm/values.h"

namespace convoy::compress::internal {

std::vector<int> share_out(const std::vector<std::int64_t>& numels, int ranks) {
  std::vector<std::size_t> order(numels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](auto a, auto b) { return numels[a] > numels[b]; });
  std::vector<std::int64_t> load(static_cast<std::size_t>(ranks));
  std::vector<int> owners(numels.size());
  for (const auto layer : order) {
    const auto least = std::ranges::min_element(load);
    owners[layer] = static_cast<int>(least - load.begin());
    *least += numels[layer];
  }
  return owners;
}

std::vector<std::vector<double>> gather_by_maker(comm::Communicator& communicator,
                                                 const std::vector<int>& makers,
                                                 const std::vector<double>& own,
                                                 std::size_t per_layer) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(communicator.size()));
  for (const int maker : makers) {
    counts[static_cast<std::size_t>(maker)] += static_cast<std::int64_t>(per_layer);
  }
  const auto all = comm::all_gather_values(communicator, own, counts);
  std::vector<std::ptrdiff_t> next(counts.size());  // where the numbers of each rank go on
  for (std::size_t rank = 1; rank < counts.size(); ++rank) {
    next[rank] = next[rank - 1] + static_cast<std::ptrdiff_t>(counts[rank - 1]);
  }
  std::vector<std::vector<double>> layers;
  for (const int maker : makers) {
    auto& at = next[static_cast<std::size_t>(maker)];
    layers.emplace_back(all.begin() + at,
                        all.begin() + at + static_cast<std::ptrdiff_t>(per_layer));
    at += static_cast<std::ptrdiff_t>(per_layer);
  }
  return layers;
}

}  // namespace convoy::compress::internal
