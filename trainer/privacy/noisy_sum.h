// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.h"
#include "trainer/privacy/entropy.h"

namespace convoy::trainer::privacy {

/// Sum of clipped vectors with Gaussian noise, over all ranks of a site.
///
/// Everything is a whole number of grid steps, g = 2^(exponent of C - 28): a clipped vector is
/// rounded to the grid before it is added, and so is the noise. What this buys:
///  - Sums are exact, so that their order, and the number of ranks, change no bit.
///  - A vector moves the sum by at most C, rounding included: it is clipped to
///    C (1 - 2^-20) - sqrt(numel) g/2 first.
///  - As the sum lies on the grid, sum + round(noise) = round(sum + noise): what is released is
///    the Gaussian mechanism's output, rounded, and rounding gives nothing more away. Which
///    floating-point numbers the noise can be (Mironov 2012; Holohan, Braghin, arXiv:2107.10138)
///    says nothing, as all points of the grid are possible whatever the sum is.
/// Left over: uniforms have 53 bits, so that noise ends at 8.58 sigma C (see fill_normal()).
///
/// One thread.
class NoisySum {
 public:
  /// Larger ones would leave the whole numbers that a double holds.
  static constexpr double kMostSigma = 1e5;
  static constexpr std::int64_t kMostVectors = std::int64_t{1} << 22;

  /// @param clip   C: largest L2 norm of one vector; a positive normal number.
  /// @param sigma  the noise's standard deviation is sigma C; 0: none, for tests.
  NoisySum(std::int64_t numel, double clip, double sigma);

  /// Adds `values`, scaled down where it is longer than C. One with an infinite value or a NaN
  /// adds nothing: whatever a record makes of the model, it moves the sum by at most C.
  void add(std::span<const float> values);

  /// Adds the noise, once for the site, on rank 0, and the ranks' sums. Starts anew. Without any
  /// vector it is noise alone. Collective where there is a communicator.
  /// @param ranks  of the site; null: it has one.
  /// @return [numel] the same bits on all ranks.
  [[nodiscard]] std::vector<double> release(Entropy& entropy, comm::Communicator* ranks = nullptr);

  /// Grid steps of the sum so far: what add() has made of the vectors.
  [[nodiscard]] std::span<const double> grid_sum() const { return sum_; }
  [[nodiscard]] double grid() const { return grid_; }

 private:
  void add_noise(Entropy& entropy);

  double clip_;
  double sigma_;
  double grid_;
  double longest_;  ///< norm to which a vector is clipped before it is rounded
  std::vector<double> sum_;
  std::int64_t count_ = 0;
};

}  // namespace convoy::trainer::privacy
