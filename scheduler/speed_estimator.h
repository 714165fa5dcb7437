// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace convoy::scheduler {

enum class SpeedModel : std::uint8_t {
  kRatio,  ///< duration = speed * steps, speed an exponential average, as the published code has it
  kAffine,  ///< duration = fixed + per_step * steps, where the numbers of steps have varied
};

/// "ratio" or "affine".
[[nodiscard]] std::string_view to_text(SpeedModel model);

/// What a round of a client takes, in seconds: fixed + per_step * steps.
struct RoundTime {
  double fixed = 0.0;
  double per_step = 0.0;

  [[nodiscard]] double of(double steps) const { return fixed + steps * per_step; }
};

/// Measures how fast one client is.
class SpeedEstimator {
 public:
  /// One finished round.
  struct Round {
    double steps = 0.0;
    double seconds = 0.0;
  };

  /// Seconds per step never fall below this, so that instant replies divide by something.
  static constexpr double kFastest = 1e-9;

  SpeedEstimator() = default;
  /// @param momentum  weight of the newest round in the ratio model, 0..1.
  SpeedEstimator(SpeedModel model, double momentum) : model_(model), momentum_(momentum) {}

  /// O(1); affine: O(rounds remembered). @param round  positive steps; seconds of receiving,
  /// training and sending, not negative.
  void add(Round round);

  /// No round is known yet.
  [[nodiscard]] bool empty() const { return ratio_ == 0.0; }
  /// O(1). @throws ContractError while empty().
  [[nodiscard]] RoundTime estimate() const;

  /// All that it knows, for checkpoints.
  struct State {
    double ratio = 0.0;
    std::vector<Round> recent;
  };
  [[nodiscard]] State state() const { return {ratio_, recent_}; }
  void restore(State state);

 private:
  void estimate_anew();

  SpeedModel model_ = SpeedModel::kRatio;
  double momentum_ = 0.9;
  double ratio_ = 0.0;         // 0: nothing known
  std::vector<Round> recent_;  // affine only: the newest rounds, oldest first
  RoundTime estimate_;         // from the two above
};

}  // namespace convoy::scheduler
