// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/bucket_layout.h"

#include <array>
#include <utility>

namespace convoy::trainer::internal {

std::vector<std::vector<std::size_t>> cut_buckets(std::span<const std::size_t> order,
                                                  std::span<const std::int64_t> numels,
                                                  const std::vector<bool>& compressed,
                                                  std::size_t bucket_bytes) {
  struct Open {
    std::vector<std::size_t> members;
    std::size_t bytes = 0;
  };
  std::vector<std::vector<std::size_t>> buckets;
  std::array<Open, 2> open;  // one for each kind
  const auto close = [&](Open& bucket) {
    if (!bucket.members.empty()) buckets.push_back(std::move(bucket.members));
    bucket = {};
  };
  std::size_t last_kind = 0;
  for (const auto index : order) {
    last_kind = compressed[index] ? 1 : 0;
    Open& bucket = open[last_kind];
    bucket.members.push_back(index);
    bucket.bytes += static_cast<std::size_t>(numels[index]) * sizeof(float);
    if (bucket.bytes >= bucket_bytes) close(bucket);
  }
  close(open[1 - last_kind]);
  close(open[last_kind]);
  return buckets;
}

std::vector<std::size_t> complete_order(std::span<const std::size_t> observed, std::size_t count) {
  std::vector<std::size_t> order(observed.begin(), observed.end());
  std::vector<bool> present(count);
  for (const auto index : observed) present[index] = true;
  for (std::size_t index = count; index-- > 0;) {
    if (!present[index]) order.push_back(index);
  }
  return order;
}

}  // namespace convoy::trainer::internal
