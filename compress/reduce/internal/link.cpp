// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/link.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <vector>

#include "comm/values.h"
#include "compress/reduce/family.h"

namespace convoy::compress::internal {
namespace {

/// Of all threads of this process.
double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Seconds of one all-reduce of so many floats, of the slowest rank.
struct Seconds {
  double least = 0.0;
  double median = 0.0;
};
Seconds sum_seconds(comm::Communicator& communicator, std::size_t values, int repeats) {
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
  const auto agreed = comm::all_reduce_values(
      communicator, std::vector{seconds.front(), seconds[seconds.size() / 2]},
      comm::ReduceOp::kMax);
  return {agreed[0], agreed[1]};
}

}  // namespace

Link measure_link(comm::Communicator& communicator) {
  constexpr std::size_t kFew = 16;
  constexpr std::size_t kMany = std::size_t{256} << 10;
  constexpr double kShort = 0.01;  // fast lines get more, so that it can be timed
  // The least: a few bytes that wait for a busy core would make all others look free.
  Link link{.latency = sum_seconds(communicator, kFew, 9).least};
  constexpr int kRepeats = 3;
  std::size_t values = kMany;
  if (sum_seconds(communicator, values, 1).least < kShort) values *= 8;
  const double before = cpu_seconds();
  const double seconds = sum_seconds(communicator, values, kRepeats).median;
  const double cpu = cpu_seconds() - before;
  const double bytes =
      two_hop_bytes(static_cast<double>(values * sizeof(float)), communicator.size());
  link.seconds_per_byte = std::max(seconds - link.latency, 0.0) / bytes;
  link.cpu_per_byte =
      comm::all_reduce_value(communicator, cpu / (kRepeats * bytes), comm::ReduceOp::kMax);
  return link;
}

}  // namespace convoy::compress::internal
