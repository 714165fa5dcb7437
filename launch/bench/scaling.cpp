// SPDX-License-Identifier: Apache-2.0
#include "launch/bench/scaling.h"

#include <chrono>
#include <thread>
#include <utility>

#include "base/log.h"
#include "launch/bench/crowding.h"

namespace convoy::launch {
namespace {

/// Other than wait(), for as long as it takes and without using up a core.
void sleep_until_done(comm::Request request) {
  while (!request.test()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  request.wait();
}

void say(const ScalingRun& run) {
  logger("launch")->info("{} scaling, {}, {} ranks: {:.1f} ms, efficiency {:.3f}", name(run.growth),
                         run.family, run.ranks, run.report.together.seconds * 1e3,
                         run.report.efficiency);
}

}  // namespace

std::string_view name(Growth growth) { return growth == Growth::kWeak ? "weak" : "strong"; }

std::vector<int> rank_counts(int ranks) {
  if (ranks == 4) return {1, 2, 3, 4};
  std::vector<int> counts;
  for (int count = 1; count < ranks; count *= 2) counts.push_back(count);
  counts.push_back(ranks);
  return counts;
}

StepBench step_of(const StepBench& whole, const ScalingRun& run) {
  StepBench step = whole;
  if (step.job.compression.family != run.family) step.job.compression = {.family = run.family};
  if (run.growth == Growth::kWeak) return step;
  step.job.train.batch_size /= run.ranks;
  if (step.sleep) *step.sleep /= run.ranks;
  return step;
}

std::vector<ScalingRun> measure_scaling(comm::Communicator& communicator,
                                        const ScalingBench& bench) {
  const auto crowdings = crowding(communicator);
  std::vector<ScalingRun> runs;
  const auto measure = [&](ScalingRun run) {
    const bool takes_part = communicator.rank() < run.ranks;
    const auto part = communicator.split(takes_part ? 0 : 1, communicator.rank());
    if (takes_part) run.report = measure_steps(*part, step_of(bench.step, run));
    sleep_until_done(communicator.barrier());
    if (communicator.rank() != 0) return;
    say(run);
    runs.push_back(std::move(run));
  };
  const auto batch = bench.step.job.train.batch_size;
  for (const Growth growth : bench.growths) {
    for (const std::string& family : bench.families) {
      for (const int ranks : bench.ranks) {
        if (growth == Growth::kStrong && batch % ranks != 0) continue;
        measure({growth, family, ranks, crowdings[static_cast<std::size_t>(ranks) - 1], {}});
      }
    }
  }
  return runs;
}

}  // namespace convoy::launch
