// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.h"

namespace convoy::launch {

/// Sums floats over all ranks, in place, and blocks.
using SumInPlace = std::function<void(std::span<float>)>;

struct AllReduceBench {
  std::vector<std::size_t> sizes_bytes;
  int repeats = 7;
  int compute_threads = 1;  ///< of each rank, where cores are to be busy
  /// How long one measurement sums at least; short sums are repeated.
  std::chrono::milliseconds at_least{300};
};

/// Seconds of one sum on the slowest rank, and what it leaves of the cores.
struct SumTiming {
  double seconds = 0.0;  ///< median
  double spread = 0.0;   ///< median absolute deviation
  /// Computing without communication over computing beside it, all ranks together, median;
  /// 1: not slowed at all. Only where the cores compute.
  double compute_slowdown = 1.0;
  double compute_slowdown_spread = 0.0;
};

struct AllReduceRow {
  std::size_t bytes = 0;
  bool computing = false;  ///< all cores, besides
  SumTiming ours;
  SumTiming stock;
};

/// Times ours and the stock sum in turns, at every size, with idle and with computing cores.
/// Checks every result. Collective. @throws CommError when a sum is wrong.
[[nodiscard]] std::vector<AllReduceRow> bench_all_reduce(comm::Communicator& communicator,
                                                         const SumInPlace& stock,
                                                         const AllReduceBench& bench);

/// Plain sockets in a ring: the line, and what its use costs without any of our code.
struct StreamTiming {
  double rate = 0.0;            ///< bytes a second of the slowest rank, cores idle
  double computing_rate = 0.0;  ///< the same while the cores compute
  double compute_slowdown = 1.0;
};

/// @param network  as communication.network. Collective. @throws CommError.
[[nodiscard]] StreamTiming bench_streams(comm::Communicator& communicator,
                                         const std::string& network, int compute_threads);

/// What is printed.
struct AllReduceReport {
  int ranks = 1;
  std::string transport;
  StreamTiming streams;
  int repeats = 0;
  int compute_threads = 0;
  std::vector<AllReduceRow> rows;
};
[[nodiscard]] std::string to_json(const AllReduceReport& report);
[[nodiscard]] std::string to_text(const AllReduceReport& report);

}  // namespace convoy::launch
