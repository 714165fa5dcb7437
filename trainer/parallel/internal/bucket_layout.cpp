// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/bucket_layout.h"

#include <algorithm>
#include <array>
#include <utility>

namespace convoy::trainer::internal {
namespace {

// Below this a bucket costs more messages than it gains.
constexpr std::size_t kLeastBytes = std::size_t{128} << 10;

/// The buckets of one kind: those that are compressed, or the others.
class Cutter {
 public:
  explicit Cutter(std::size_t bucket_bytes)
      : bytes_(bucket_bytes),
        least_(std::max(bucket_bytes / 8, std::min(bucket_bytes, kLeastBytes))) {}

  void expect(std::size_t bytes) { left_ += bytes; }
  /// @return a bucket that is full now, or nothing.
  std::vector<std::size_t> add(std::size_t index, std::size_t bytes) {
    if (members_.empty()) limit_ = next_limit();
    members_.push_back(index);
    filled_ += bytes;
    left_ -= bytes;
    return filled_ >= limit_ ? close() : std::vector<std::size_t>();
  }
  std::vector<std::size_t> close() {
    filled_ = 0;
    is_first_ = false;
    return std::exchange(members_, {});
  }

 private:
  // The first leaves early. Then each takes at most half of what is left: nothing hides the last.
  [[nodiscard]] std::size_t next_limit() const {
    return is_first_ ? least_ : std::clamp(left_ / 2, least_, bytes_);
  }

  std::size_t bytes_;
  std::size_t least_;
  std::size_t left_ = 0;
  std::size_t limit_ = 0;
  std::size_t filled_ = 0;
  bool is_first_ = true;
  std::vector<std::size_t> members_;
};

}  // namespace

std::vector<std::vector<std::size_t>> cut_buckets(std::span<const std::size_t> order,
                                                  std::span<const std::int64_t> numels,
                                                  const std::vector<bool>& compressed,
                                                  std::size_t bucket_bytes) {
  std::vector<std::vector<std::size_t>> buckets;
  const auto keep = [&](std::vector<std::size_t> bucket) {
    if (!bucket.empty()) buckets.push_back(std::move(bucket));
  };
  const auto bytes_of = [&](std::size_t index) {
    return static_cast<std::size_t>(numels[index]) * sizeof(float);
  };
  std::array<Cutter, 2> kinds{Cutter(bucket_bytes), Cutter(bucket_bytes)};
  for (const auto index : order) kinds[compressed[index] ? 1 : 0].expect(bytes_of(index));
  std::size_t last_kind = 0;
  for (const auto index : order) {
    last_kind = compressed[index] ? 1 : 0;
    keep(kinds[last_kind].add(index, bytes_of(index)));
  }
  keep(kinds[1 - last_kind].close());
  keep(kinds[last_kind].close());
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
