// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/link.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include "comm/values.h"
#include "compress/reduce/family.h"

namespace convoy::compress::internal {
namespace {

/// Seconds of one all-reduce of so many floats: the median, of the slowest rank.
double sum_seconds(comm::Communicator& communicator, std::size_t values, int repeats) {
  std::vector<double> seconds;
  for (int i = 0; i < repeats; ++i) {
    std::vector<float> zeros(values);
    communicator.barrier().wait();
    const auto begin = std::chrono::steady_clock::now();
    (void)comm::all_reduce_values(communicator, std::move(zeros));
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  std::ranges::sort(seconds);
  return comm::all_reduce_value(communicator, seconds[seconds.size() / 2], comm::ReduceOp::kMax);
}

}  // namespace

Link measure_link(comm::Communicator& communicator) {
  constexpr std::size_t kFew = 16;
  constexpr std::size_t kMany = std::size_t{256} << 10;
  constexpr double kShort = 0.01;  // fast lines get more, so that it can be timed
  Link link{.latency = sum_seconds(communicator, kFew, 9)};
  std::size_t values = kMany;
  double seconds = sum_seconds(communicator, values, 3);
  if (seconds < kShort) seconds = sum_seconds(communicator, values *= 8, 3);
  const double bytes =
      two_hop_bytes(static_cast<double>(values * sizeof(float)), communicator.size());
  link.seconds_per_byte = std::max(seconds - link.latency, 0.0) / bytes;
  return link;
}

}  // namespace convoy::compress::internal
