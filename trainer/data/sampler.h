// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace convoy::trainer {

/// One rank's part of a global batch.
struct Share {
  std::span<const std::int64_t> indices;  ///< valid until the next call
  std::int64_t global_samples = 0;        ///< over all ranks
  int first_rank = 0;                     ///< the first that has any
};

/// Deals the samples of an epoch out to the ranks: a random order that depends on seed and epoch
/// only, cut into global batches of ranks * batch_size; rank r takes the r-th part of each. N ranks
/// of batch B thus see the same global batches as one rank of batch N*B. Every sample is dealt
/// exactly once in an epoch. The last global batch may be smaller; it is shared out as evenly as
/// can be, and a rank may get none of it.
class Sampler {
 public:
  /// @throws ContractError unless size, ranks, batch_size >= 1 and 0 <= rank < ranks.
  Sampler(std::int64_t size, int rank, int ranks, std::int64_t batch_size, std::uint64_t seed);

  /// From now on rank r takes parts[r] samples of a full global batch, and in proportion of the
  /// last one. At first all take the same. The global batches stay as they are.
  /// @throws ContractError unless there is a part, not negative, for each rank, and they add up to
  ///         ranks * batch_size.
  void set_parts(const std::vector<std::int64_t>& parts);

  /// Samples of a full global batch.
  [[nodiscard]] std::int64_t global_batch() const { return ranks_ * batch_size_; }
  [[nodiscard]] std::int64_t batches_per_epoch() const;
  /// This rank's part of global batch `batch` of `epoch`; any order, nothing is remembered.
  [[nodiscard]] Share share(std::int64_t epoch, std::int64_t batch);

 private:
  std::int64_t size_;
  int rank_;
  int ranks_;
  std::int64_t batch_size_;
  std::vector<std::int64_t> ends_;  ///< [ranks] of the parts of a full global batch
  std::uint64_t seed_;
  std::int64_t epoch_ = -1;  ///< whose order_ is at hand
  std::vector<std::int64_t> order_;
};

}  // namespace convoy::trainer
