// SPDX-License-Identifier: Apache-2.0
// A whole compressed average - residual, encoding, exchange between two threads as ranks, decoding
// - over the layers of ResNet-18, 11.2 million values, both ranks busy at once:
//   build/bin/reducer_speed [--steps 15]
// One JSON line per family. `over_copy` and `over_two_reads` are medians of the step's time over
// that of copying the gradient, and of reading it twice, measured in turns with it. Wanted (issue
// 3): power_sgd of rank 4 over two reads at most 5.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "bench/harness.h"
#include "comm/local/local.h"
#include "compress/reduce/make_reducer.h"

namespace convoy {
namespace {

constexpr std::size_t kBucketValues = std::size_t{1} << 20;  // 4 MiB

/// The shapes of trainer/models/resnet18.cpp for 10 classes, matrices only.
const std::vector<std::vector<std::int64_t>> kShapes{
    {64, 27},    {64, 576},   {64, 576},   {64, 576},   {64, 576},   {128, 576},  {128, 1152},
    {128, 64},   {128, 1152}, {128, 1152}, {256, 1152}, {256, 2304}, {256, 128},  {256, 2304},
    {256, 2304}, {512, 2304}, {512, 4608}, {512, 256},  {512, 4608}, {512, 4608}, {10, 512}};

/// Buckets of one rank's gradient.
std::vector<compress::Bucket> make_buckets(int rank) {
  std::vector<compress::Bucket> buckets;
  std::shared_ptr<std::vector<float>> memory;
  Random random({static_cast<std::uint64_t>(rank)});
  const auto close = [&] {
    if (memory == nullptr) return;
    memory->resize(static_cast<std::size_t>(buckets.back().layers.back().offset +
                                            buckets.back().layers.back().numel));
    for (float& value : *memory) value = static_cast<float>(random.uniform() - 0.5);
    buckets.back().values = *memory;
    buckets.back().owner = memory;
  };
  std::int64_t filled = static_cast<std::int64_t>(kBucketValues);
  for (std::size_t i = 0; i < kShapes.size(); ++i) {
    const std::int64_t numel = kShapes[i][0] * kShapes[i][1];
    if (filled >= static_cast<std::int64_t>(kBucketValues)) {
      close();
      buckets.emplace_back();
      memory = std::make_shared<std::vector<float>>();
      filled = 0;
    }
    buckets.back().layers.push_back({"layer" + std::to_string(i), filled, kShapes[i], numel});
    filled += numel;
  }
  close();
  return buckets;
}

std::uint32_t read_all(const std::vector<compress::Bucket>& buckets) {
  std::uint32_t mixed = 0;
  for (const auto& bucket : buckets) {
    for (const float value : bucket.values) mixed ^= std::bit_cast<std::uint32_t>(value);
  }
  return mixed;
}

struct Case {
  std::string name;
  compress::CompressionConfig config;
};

std::vector<Case> cases() {
  return {{"none", {}},
          {"half", {.family = "half", .policy = "uniform"}},
          {"quantize 4 bits", {.family = "quantize", .policy = "uniform", .level = 4}},
          {"top_k 1 %", {.family = "top_k", .policy = "uniform", .level = 0.01}},
          {"power_sgd rank 4", {.family = "power_sgd", .policy = "uniform", .level = 4}}};
}

void measure(comm::Communicator& world, const Case& which, int steps) {
  const auto buckets = make_buckets(world.rank());
  const auto reducer = compress::make_reducer(which.config, 1)(world);
  std::vector<std::vector<float>> gradients;
  for (const auto& bucket : buckets) {
    gradients.emplace_back(bucket.values.begin(), bucket.values.end());
  }
  std::vector<double> seconds;
  std::vector<double> over_copy;
  std::vector<double> over_reads;
  volatile std::uint32_t sink = 0;
  for (int step = -2; step < steps; ++step) {
    const double reads = bench::time_slowest(world, [&] {
      sink = read_all(buckets);
      sink = sink ^ read_all(buckets);
    });
    const double copies = bench::time_slowest(world, [&] {
      for (std::size_t i = 0; i < buckets.size(); ++i) {
        std::ranges::copy(gradients[i], buckets[i].values.begin());
      }
    });
    const double step_seconds = bench::time_slowest(world, [&] {
      reducer->begin_step(step + 2);
      for (const auto& bucket : buckets) reducer->reduce(bucket);
      reducer->end_step();
    });
    if (step < 0) continue;  // warm-up
    seconds.push_back(step_seconds);
    over_copy.push_back(step_seconds / copies);
    over_reads.push_back(step_seconds / reads);
  }
  if (world.rank() != 0) return;
  const auto copies = bench::summarize(over_copy);
  const auto reads = bench::summarize(over_reads);
  std::printf(
      "{\"bench\":\"reducer\",\"family\":\"%s\",%s,\"over_copy\":%.2f,"
      "\"over_copy_spread\":%.2f,\"over_two_reads\":%.2f,\"over_two_reads_spread\":%.2f,"
      "\"bytes_sent\":%llu}\n",
      which.name.c_str(), bench::to_json("step", bench::summarize(seconds)).c_str(), copies.median,
      copies.spread, reads.median, reads.spread,
      static_cast<unsigned long long>(reducer->traffic().sent_bytes) /
          static_cast<unsigned long long>(steps + 2));
}

}  // namespace
}  // namespace convoy

int main(int argc, char** argv) {
  int steps = 15;
  CLI::App app("What a compressed average costs on two busy cores");
  app.add_option("--steps", steps, "measured steps")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  for (const auto& which : convoy::cases()) {
    convoy::comm::local::run(
        2, [&](convoy::comm::Communicator& world) { convoy::measure(world, which, steps); });
  }
  return 0;
}
