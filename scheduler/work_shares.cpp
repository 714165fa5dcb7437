// SPDX-License-Identifier: Apache-2.0
#include "scheduler/work_shares.h"

#include <algorithm>
#include <queue>
#include <utility>

#include "base/errors.h"

namespace convoy::scheduler {
namespace {

/// When a worker would be through if it got one sample more, and which one it is.
using Next = std::pair<double, std::size_t>;

}  // namespace

std::vector<std::int64_t> work_shares(std::int64_t total, std::span<const RoundTime> workers) {
  require(!workers.empty() && total >= std::ssize(workers),
          "work_shares: every worker needs a sample");
  std::vector<std::int64_t> shares(workers.size(), 1);
  std::priority_queue<Next, std::vector<Next>, std::greater<>> queue;
  for (std::size_t i = 0; i < workers.size(); ++i) queue.emplace(workers[i].of(2.0), i);
  // Times only rise with samples, so the earliest choice each time is the best of all.
  for (std::int64_t left = total - std::ssize(workers); left > 0; --left) {
    const std::size_t earliest = queue.top().second;
    queue.pop();
    ++shares[earliest];
    queue.emplace(workers[earliest].of(static_cast<double>(shares[earliest] + 1)), earliest);
  }
  return shares;
}

double makespan(std::span<const std::int64_t> shares, std::span<const RoundTime> workers) {
  require(shares.size() == workers.size(), "makespan: one share for each worker");
  double last = 0.0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    last = std::max(last, workers[i].of(static_cast<double>(shares[i])));
  }
  return last;
}

}  // namespace convoy::scheduler
