// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/bucket_layout.h"

namespace convoy::trainer::internal {

std::vector<std::vector<std::size_t>> cut_buckets(std::span<const std::size_t> order,
                                                  std::span<const std::int64_t> numels,
                                                  std::size_t bucket_bytes) {
  std::vector<std::vector<std::size_t>> buckets;
  std::size_t filled = bucket_bytes;
  for (const auto index : order) {
    if (filled >= bucket_bytes) {
      buckets.emplace_back();
      filled = 0;
    }
    buckets.back().push_back(index);
    filled += static_cast<std::size_t>(numels[index]) * sizeof(float);
  }
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
