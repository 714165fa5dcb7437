// SPDX-License-Identifier: Apache-2.0
#include "launch/bench/all_reduce.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <span>
#include <thread>

#include "base/errors.h"
#include "comm/tcp/stream_rate.h"
#include "comm/values.h"
#include "launch/bench/compute_load.h"
#include "launch/bench/statistics.h"

namespace convoy::launch {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Units a second that all ranks get done while `work` runs.
double compute_rate(comm::Communicator& communicator, const ComputeLoad& load,
                    const std::function<void()>& work) {
  communicator.barrier().wait();
  const std::int64_t before = load.done();
  const auto start = Clock::now();
  work();
  const auto done = static_cast<double>(load.done() - before);
  return comm::all_reduce_value(communicator, done / seconds_since(start));
}

// One measurement: seconds of one sum on the slowest rank, and units a second of all ranks.
struct Sample {
  double seconds = 0.0;
  double compute_rate = 0.0;
};

class Measurement {
 public:
  Measurement(comm::Communicator& communicator, const SumInPlace& stock,
              const AllReduceBench& bench, std::size_t bytes)
      : communicator_(communicator), bench_(bench), values_(bytes / sizeof(float)) {
    sums_[0] = [this](std::span<float> values) { communicator_.all_reduce(values).wait(); };
    sums_[1] = stock;
    for (int which = 0; which < 2; ++which) check(which);
  }

  AllReduceRow run(bool computing) {
    const auto load = computing ? std::make_unique<ComputeLoad>(bench_.compute_threads) : nullptr;
    for (int which = 0; which < 2; ++which) times_[which] = count_for(which);
    std::array<std::vector<double>, 2> seconds;
    std::array<std::vector<double>, 2> slowdowns;
    for (int repeat = 0; repeat < bench_.repeats; ++repeat) {
      for (int which = 0; which < 2; ++which) {
        const double before = computing ? rate_alone(*load) : 0.0;
        const Sample sample = measure(which, load.get());
        seconds[which].push_back(sample.seconds);
        if (!computing) continue;
        // Other work on the machine comes and goes: compared with just before and just after.
        const double alone = (before + rate_alone(*load)) / 2;
        slowdowns[which].push_back(alone / sample.compute_rate);
      }
    }
    AllReduceRow row{.bytes = values_.size() * sizeof(float), .computing = computing};
    row.ours = summarize(seconds[0], slowdowns[0]);
    row.stock = summarize(seconds[1], slowdowns[1]);
    return row;
  }

 private:
  static SumTiming summarize(const std::vector<double>& seconds,
                             const std::vector<double>& slowdowns) {
    SumTiming timing{.seconds = median(seconds), .spread = spread(seconds)};
    if (slowdowns.empty()) return timing;
    timing.compute_slowdown = median(slowdowns);
    timing.compute_slowdown_spread = spread(slowdowns);
    return timing;
  }

  // Small whole numbers: their sum is exact in any order.
  void check(int which) {
    const auto share = [&](std::size_t i, int rank) {
      return static_cast<float>((i % 1021 + 1) * static_cast<std::size_t>(rank + 1));
    };
    for (std::size_t i = 0; i < values_.size(); ++i) values_[i] = share(i, communicator_.rank());
    sums_[which](values_);
    const int ranks = communicator_.size();
    const auto factor = static_cast<float>(ranks * (ranks + 1) / 2);
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (values_[i] == share(i, 0) * factor) continue;
      throw CommError(fmt::format("{} sum of {} floats is wrong at element {}",
                                  which == 0 ? "our" : "the stock", values_.size(), i));
    }
    std::ranges::fill(values_, 0.0F);
  }

  // How many sums take long enough to be timed. Not too many: on busy cores one may take a hundred
  // times as long as the next.
  int count_for(int which) {
    constexpr int kTried = 3;
    communicator_.barrier().wait();
    const auto start = Clock::now();
    for (int i = 0; i < kTried; ++i) sums_[which](values_);
    const double once = slowest(seconds_since(start)) / kTried;
    const double wanted = std::chrono::duration<double>(bench_.at_least).count();
    return static_cast<int>(std::clamp(std::ceil(wanted / once), 1.0, 100.0));
  }

  Sample measure(int which, const ComputeLoad* load) {
    communicator_.barrier().wait();
    const std::int64_t before = load == nullptr ? 0 : load->done();
    const auto start = Clock::now();
    for (int i = 0; i < times_[which]; ++i) sums_[which](values_);
    const double taken = seconds_since(start);
    const double done = load == nullptr ? 0.0 : static_cast<double>(load->done() - before);
    return {slowest(taken) / times_[which], total(done / taken)};
  }

  double rate_alone(const ComputeLoad& load) {
    return compute_rate(communicator_, load, [&] { std::this_thread::sleep_for(bench_.at_least); });
  }

  double slowest(double seconds) {
    return comm::all_reduce_value(communicator_, seconds, comm::ReduceOp::kMax);
  }
  double total(double value) { return comm::all_reduce_value(communicator_, value); }

  comm::Communicator& communicator_;
  const AllReduceBench& bench_;
  std::vector<float> values_;
  std::array<SumInPlace, 2> sums_;  // ours, stock
  std::array<int, 2> times_{};
};

}  // namespace

StreamTiming bench_streams(comm::Communicator& communicator, const std::string& network,
                           int compute_threads) {
  constexpr std::chrono::seconds kTime{2};
  const auto stream = [&] {
    return comm::tcp::measure_stream_rate(communicator, kTime, {.network = network});
  };
  StreamTiming timing{.rate = stream()};
  const ComputeLoad load(compute_threads);
  const auto alone = [&] {
    return compute_rate(communicator, load, [&] { std::this_thread::sleep_for(kTime / 2); });
  };
  const double before = alone();
  const double beside = compute_rate(communicator, load, [&] { timing.computing_rate = stream(); });
  timing.compute_slowdown = (before + alone()) / 2 / beside;
  return timing;
}

std::vector<AllReduceRow> bench_all_reduce(comm::Communicator& communicator,
                                           const SumInPlace& stock, const AllReduceBench& bench) {
  std::vector<AllReduceRow> rows;
  for (const std::size_t bytes : bench.sizes_bytes) {
    Measurement measurement(communicator, stock, bench, bytes);
    for (const bool computing : {false, true}) rows.push_back(measurement.run(computing));
  }
  return rows;
}

}  // namespace convoy::launch
