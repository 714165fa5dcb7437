// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/sampler.h"

#include <algorithm>
#include <numeric>

#include "base/errors.h"
#include "base/random.h"

namespace convoy::trainer {
namespace {

constexpr std::uint64_t kShuffleStream = 0x73687566666c65;  // "shuffle"

/// floor(value * samples / global) for value <= global and samples <= global < 2^31; above that,
/// for batches larger than any memory, as exact as a long double is.
std::int64_t scaled(std::int64_t value, std::int64_t samples, std::int64_t global) {
  if (samples == global) return value;
  if (value == global) return samples;
  if (global < (std::int64_t{1} << 31)) return value * samples / global;
  return static_cast<std::int64_t>(static_cast<long double>(value) *
                                   static_cast<long double>(samples) /
                                   static_cast<long double>(global));
}

}  // namespace

Sampler::Sampler(std::int64_t size, int rank, int ranks, std::int64_t batch_size,
                 std::uint64_t seed)
    : size_(size),
      rank_(rank),
      ranks_(ranks),
      // A larger batch holds no more; so ranks * batch_size_ cannot overflow.
      batch_size_(std::min(batch_size, size)),
      seed_(seed) {
  require(size >= 1 && ranks >= 1 && batch_size >= 1,
          "Sampler: size, ranks and batch_size must be at least 1");
  require(rank >= 0 && rank < ranks, "Sampler: rank must be in [0, ranks)");
  for (int r = 1; r <= ranks; ++r) ends_.push_back(r * batch_size_);
}

void Sampler::set_parts(const std::vector<std::int64_t>& parts) {
  require(std::ssize(parts) == ranks_ && *std::ranges::min_element(parts) >= 0 &&
              std::accumulate(parts.begin(), parts.end(), std::int64_t{0}) == ranks_ * batch_size_,
          "Sampler::set_parts: the parts do not make up a global batch");
  std::partial_sum(parts.begin(), parts.end(), ends_.begin());
}

std::int64_t Sampler::batches_per_epoch() const {
  const std::int64_t global = ranks_ * batch_size_;
  return (size_ + global - 1) / global;
}

Share Sampler::share(std::int64_t epoch, std::int64_t batch) {
  require(epoch >= 0, "Sampler::share: epoch must not be negative");
  require(batch >= 0 && batch < batches_per_epoch(), "Sampler::share: no such batch in an epoch");
  if (epoch != epoch_) {
    Random random({seed_, kShuffleStream, static_cast<std::uint64_t>(epoch)});
    order_ = permutation(size_, random);
    epoch_ = epoch;
  }
  const std::int64_t global = ranks_ * batch_size_;
  const std::int64_t first = batch * global;
  const std::int64_t samples = std::min(global, size_ - first);
  const auto end_of = [&](int rank) {
    return rank < 0 ? 0 : scaled(ends_[static_cast<std::size_t>(rank)], samples, global);
  };
  const std::int64_t begin = end_of(rank_ - 1);
  Share share{.indices = std::span(order_).subspan(static_cast<std::size_t>(first + begin),
                                                   static_cast<std::size_t>(end_of(rank_) - begin)),
              .global_samples = samples};
  while (end_of(share.first_rank) == 0) ++share.first_rank;
  return share;
}

}  // namespace convoy::trainer
