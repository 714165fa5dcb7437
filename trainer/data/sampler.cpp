// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/sampler.h"

#include <algorithm>

#include "base/errors.h"
#include "base/random.h"

namespace convoy::trainer {
namespace {

constexpr std::uint64_t kShuffleStream = 0x73687566666c65;  // "shuffle"

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
  // For a full batch this is batch_size a rank; for the last one the sizes differ by at most one.
  const std::int64_t begin = samples * rank_ / ranks_;
  const std::int64_t end = samples * (rank_ + 1) / ranks_;
  return {.indices = std::span(order_).subspan(static_cast<std::size_t>(first + begin),
                                               static_cast<std::size_t>(end - begin)),
          .global_samples = samples};
}

}  // namespace convoy::trainer
