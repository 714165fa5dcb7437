// SPDX-License-Identifier: Apache-2.0
#include "comm/chunk_choice.h"

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "base/errors.h"
#include "comm/values.h"

namespace convoy::comm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kKib = 1024;
constexpr std::size_t kShortBytes = 256 * kKib;
constexpr std::size_t kLeastRepeats = 3;
constexpr std::size_t kMostRepeats = 7;
// Less is the noise of a few sums, and not worth a departure.
constexpr double kClearlyFaster = 0.95;

using Values = std::shared_ptr<std::vector<float>>;

// Of this rank, from when all have come.
double time_sum(Communicator& communicator, const Values& values) {
  communicator.barrier().wait();
  const auto start = Clock::now();
  communicator.all_reduce(Buffer(std::span(*values), values)).wait();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Values zeros(std::size_t bytes) {
  return std::make_shared<std::vector<float>>(bytes / sizeof(float));
}

// All ranks find the same.
double seconds_of_a_byte(Communicator& communicator, std::size_t sum_bytes) {
  const std::size_t bytes = std::min(sum_bytes, kShortBytes);
  const auto values = zeros(bytes);
  (void)time_sum(communicator, values);  // the first one warms up
  const double own = time_sum(communicator, values) / static_cast<double>(bytes);
  return all_reduce_value(communicator, own, ReduceOp::kMax);
}

std::vector<std::size_t> candidates(std::size_t present) {
  std::vector<std::size_t> sizes{present};
  for (const std::size_t kib : {64, 128, 256, 512, 1024}) {
    if (kib * kKib != present) sizes.push_back(kib * kKib);
  }
  return sizes;
}

// All sizes in turn, so that what changes meanwhile changes for all. @return by repeat and size.
std::vector<double> time_in_turn(Communicator& communicator, const std::vector<std::size_t>& sizes,
                                 std::size_t sum_bytes, std::size_t repeats) {
  const auto values = zeros(sum_bytes);
  std::vector<double> own;
  for (std::size_t repeat = 0; repeat < repeats; ++repeat) {
    for (const std::size_t size : sizes) {
      communicator.set_chunk_bytes(size);
      own.push_back(time_sum(communicator, values));
    }
  }
  communicator.set_chunk_bytes(sizes.front());
  return all_reduce_values(communicator, std::move(own), ReduceOp::kMax);
}

}  // namespace

std::vector<ChunkTrial> time_chunks(Communicator& communicator, std::size_t sum_bytes,
                                    std::chrono::duration<double> budget) {
  require(sum_bytes >= sizeof(float), "time_chunks: a sum must have an element");
  if (!communicator.sums_in_messages()) return {};
  const auto sizes = candidates(communicator.options().chunk_bytes);
  const double affordable = budget.count() / seconds_of_a_byte(communicator, sum_bytes) /
                            static_cast<double>(sizes.size());  // bytes of one size
  const auto fitting = static_cast<std::size_t>(affordable) / kLeastRepeats;
  const std::size_t bytes = std::min(sum_bytes, std::max(fitting, kShortBytes));
  const std::size_t repeats =
      std::clamp(static_cast<std::size_t>(affordable) / bytes, kLeastRepeats, kMostRepeats);
  const auto seconds = time_in_turn(communicator, sizes, bytes, repeats);
  std::vector<ChunkTrial> trials;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    std::vector<double> of_size;
    for (std::size_t k = i; k < seconds.size(); k += sizes.size()) of_size.push_back(seconds[k]);
    std::ranges::sort(of_size);
    trials.push_back({sizes[i], of_size[repeats / 2], of_size.front()});
  }
  return trials;
}

std::size_t fastest_chunk(const std::vector<ChunkTrial>& trials) {
  require(!trials.empty(), "fastest_chunk: nothing was tried");
  const auto best = std::ranges::min_element(trials, {}, &ChunkTrial::seconds);
  const ChunkTrial& first = trials.front();
  return best->seconds < kClearlyFaster * first.least_seconds ? best->chunk_bytes
                                                              : first.chunk_bytes;
}

}  // namespace convoy::comm
