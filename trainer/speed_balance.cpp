// SPDX-License-Identifier: Apache-2.0
#include "trainer/speed_balance.h"

#include <algorithm>
#include <numeric>

#include "comm/values.h"
#include "scheduler/work_shares.h"

namespace convoy::trainer {
namespace {

using scheduler::RoundTime;

/// Weight of the newest measurement: the machine of a rank may get other work to do.
constexpr double kMomentum = 0.7;

std::vector<std::int64_t> equal_parts(std::int64_t global_batch, int ranks) {
  return std::vector<std::int64_t>(static_cast<std::size_t>(ranks), global_batch / ranks);
}

double median(std::vector<double>& values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

SpeedBalance::SpeedBalance(comm::Communicator& communicator, std::int64_t global_batch)
    : communicator_(communicator),
      global_batch_(global_batch),
      parts_(equal_parts(global_batch, communicator.size())),
      speed_(scheduler::SpeedModel::kAffine, kMomentum) {}

void SpeedBalance::add(std::int64_t samples, double seconds) {
  // The end of an epoch may be shorter.
  if (samples == parts_[static_cast<std::size_t>(communicator_.rank())]) {
    seconds_.push_back(seconds);
  }
}

bool SpeedBalance::rebalance() {
  const std::int64_t own = parts_[static_cast<std::size_t>(communicator_.rank())];
  if (!seconds_.empty()) speed_.add({static_cast<double>(own), median(seconds_)});
  seconds_.clear();
  const RoundTime estimate = speed_.empty() ? RoundTime{} : speed_.estimate();
  const auto all =
      comm::all_gather_values(communicator_, std::vector{estimate.fixed, estimate.per_step});
  std::vector<RoundTime> ranks;
  for (std::size_t i = 0; i < all.size(); i += 2) ranks.push_back({all[i], all[i + 1]});
  const bool known = std::ranges::all_of(ranks, [](const auto& rank) { return rank.per_step > 0; });
  if (!known) return false;
  auto parts = scheduler::work_shares(global_batch_, ranks);
  if (makespan(parts, ranks) > (1.0 - kWorthIt) * makespan(parts_, ranks)) return false;
  parts_ = std::move(parts);
  return true;
}

void SpeedBalance::restore(std::int64_t own_part) {
  auto parts = comm::all_gather_values(communicator_, std::vector{own_part});
  const bool fits = *std::ranges::min_element(parts) >= 1 &&
                    std::accumulate(parts.begin(), parts.end(), std::int64_t{0}) == global_batch_;
  parts_ = fits ? std::move(parts) : equal_parts(global_batch_, communicator_.size());
}

}  // namespace convoy::trainer
