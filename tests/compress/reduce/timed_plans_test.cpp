// SPDX-License-Identifier: Apache-2.0
// Objective "time": layers at half or dense, plans from measured times, and the guard.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "comm/local/local.h"
#include "comm/values.h"
#include "compress/reduce/family.h"
#include "compress/reduce/internal/by_maker.h"
#include "compress/reduce/internal/link.h"
#include "compress/reduce/plan_json.h"
#include "tests/compress/reduce/reducer_kit.h"

namespace convoy::tests {
namespace {

using comm::local::run;
using compress::Level;

/// conv1 at half, conv2 at `level`, fc dense.
std::vector<compress::PlanRecord> mixed_plan(Level level) {
  compress::PlanRecord record;
  record.layers = {{"conv1.weight", 432, Level::half()},
                   {"conv2.weight", 3456, level},
                   {"fc.weight", 650, Level::dense()}};
  // As a plans.jsonl holds it.
  return {compress::plan_from_json(compress::to_json_line(record), "test")};
}

double worst(const std::vector<float>& found, const std::vector<double>& expected) {
  double largest = 0.0;
  double scale = 0.0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(found[i]) - expected[i]));
    scale = std::max(scale, std::abs(expected[i]));
  }
  return largest / scale;
}

TEST(TimedPlans, MixHalfAndDenseWithEveryFamily) {
  for (const auto& [name, config] : all_families()) {
    if (config.family == "half") continue;
    for (const int ranks : {2, 3}) {
      run(ranks, [&, name = name, config = config](comm::Communicator& communicator) {
        const auto plan = mixed_plan(Level(config.level));
        const auto reducer = compress::make_reducer(config, 1, plan)(communicator);
        const auto gradients = gradients_of(small_model(), communicator.rank(), 0);
        const auto found = reduce_step(*reducer, small_model(), gradients, 0);
        const auto mean = mean_gradients(small_model(), communicator.size(), 0);
        EXPECT_LT(worst(found.at("fc.weight"), mean.at("fc.weight")), 1e-6) << name;
        const double half_error = worst(found.at("conv1.weight"), mean.at("conv1.weight"));
        EXPECT_LT(half_error, 1e-3) << name;
        EXPECT_GT(half_error, 1e-6) << name;
        EXPECT_GT(worst(found.at("conv2.weight"), mean.at("conv2.weight")), 1e-3) << name;
        const auto hashes = comm::all_gather_values(communicator, std::vector{hash_of(found)});
        for (const auto hash : hashes) EXPECT_EQ(hash, hashes[0]) << name;
      });
    }
  }
}

TEST(TimedPlans, AtHalfLoseNothingOverSteps) {
  run(2, [](comm::Communicator& communicator) {
    const auto reducer =
        compress::make_reducer(config_of("top_k", 0.1), 1, mixed_plan(Level(0.1)))(communicator);
    std::vector<double> missing(432);
    for (std::int64_t step = 0; step < 20; ++step) {
      const auto gradients = gradients_of(small_model(), communicator.rank(), step);
      const auto found = reduce_step(*reducer, small_model(), gradients, step).at("conv1.weight");
      const auto mean = mean_gradients(small_model(), 2, step).at("conv1.weight");
      for (std::size_t i = 0; i < missing.size(); ++i) missing[i] += mean[i] - found[i];
    }
    const auto residual = reducer->state().arrays.at("residual/conv1.weight");
    const auto owed = comm::all_reduce_values(
        communicator, std::vector<double>(residual.begin(), residual.end()));
    for (std::size_t i = 0; i < missing.size(); ++i) ASSERT_NEAR(missing[i], owed[i] / 2, 1e-5);
  });
}

compress::CompressionConfig timed(const std::string& family, double level) {
  auto config = config_of(family, level);
  config.policy = "lgreco";
  config.objective = "time";
  config.window = 3;
  config.adapt_every = 10;
  config.plan_lag = 2;
  config.guard_every = 15;
  return config;
}

TEST(TimedPlans, AreTheSameOnAllRanksAndWithinTheBudget) {
  for (const auto& [family, level] :
       std::map<std::string, double>{{"power_sgd", 2}, {"top_k", 0.05}, {"quantize", 4}}) {
    run(3, [&, family = family, level = level](comm::Communicator& communicator) {
      auto config = timed(family, level);
      config.guard_every = 0;  // plans that it overrules are not announced
      const auto reducer = compress::make_reducer(config, 1)(communicator);
      std::string plans;
      int timed_plans = 0;
      for (std::int64_t step = 0; step < 40; ++step) {
        const auto gradients = gradients_of(small_model(), communicator.rank(), step);
        const auto found = reduce_step(*reducer, small_model(), gradients, step, 2);
        const auto hashes = comm::all_gather_values(communicator, std::vector{hash_of(found)});
        for (const auto hash : hashes) ASSERT_EQ(hash, hashes[0]) << family << " " << step;
        for (const auto& plan : reducer->take_plans()) {
          plans += plan.policy + plan.hash + std::to_string(plan.step);
          if (plan.policy != "lgreco") continue;
          ++timed_plans;
          EXPECT_LE(plan.error, plan.max_error);
          EXPECT_GT(plan.predicted_ms, 0.0);
          EXPECT_LE(plan.predicted_ms, plan.dense_predicted_ms);
        }
      }
      EXPECT_GE(timed_plans, 3) << family;
      const auto own = static_cast<std::int64_t>(std::hash<std::string>()(plans));
      const auto all = comm::all_gather_values(communicator, std::vector{own});
      for (const auto hash : all) EXPECT_EQ(hash, all[0]) << family;
    });
  }
}

TEST(TimedPlans, AreTriedAgainstDenseStepsAndReplayedToTheBit) {
  std::vector<compress::PlanRecord> plans;
  std::vector<std::int64_t> hashes(60);
  const auto steps = [&](comm::Communicator& communicator, compress::Reducer& reducer,
                         const auto& after) {
    for (std::int64_t step = 0; step < 60; ++step) {
      const auto gradients = gradients_of(small_model(), communicator.rank(), step);
      const auto hash = hash_of(reduce_step(reducer, small_model(), gradients, step));
      if (communicator.rank() == 0) after(step, hash);
    }
  };
  run(2, [&](comm::Communicator& communicator) {
    const auto reducer = compress::make_reducer(timed("top_k", 0.05), 1)(communicator);
    steps(communicator, *reducer, [&](std::int64_t step, std::int64_t hash) {
      hashes[static_cast<std::size_t>(step)] = hash;
      for (auto& plan : reducer->take_plans()) plans.push_back(std::move(plan));
    });
  });
  std::set<std::string> policies;
  for (const auto& plan : plans) policies.insert(plan.policy);
  // Between threads nothing is slow: some trial has been made.
  EXPECT_TRUE(policies.contains("dense"));
  run(2, [&](comm::Communicator& communicator) {
    const auto reducer = compress::make_reducer(timed("top_k", 0.05), 1, plans)(communicator);
    steps(communicator, *reducer, [&](std::int64_t step, std::int64_t hash) {
      EXPECT_EQ(hash, hashes[static_cast<std::size_t>(step)]) << step;
    });
  });
}

TEST(TimedPlans, RememberTheGuardInCheckpoints) {
  compress::ReducerState state;
  run(2, [&](comm::Communicator& communicator) {
    const auto reducer = compress::make_reducer(timed("top_k", 0.05), 1)(communicator);
    for (std::int64_t step = 0; step < 30; ++step) {
      const auto gradients = gradients_of(small_model(), communicator.rank(), step);
      (void)reduce_step(*reducer, small_model(), gradients, step);
    }
    const auto own = reducer->state();
    EXPECT_NE(own.plans.find("next_trial"), std::string::npos);
    const auto resumed = compress::make_reducer(timed("top_k", 0.05), 1)(communicator);
    resumed->load_state(own);
    EXPECT_EQ(resumed->state().plans, own.plans);
    const auto gradients = gradients_of(small_model(), communicator.rank(), 30);
    (void)reduce_step(*resumed, small_model(), gradients, 30);
  });
}

TEST(MeasureLink, IsTheSameOnAllRanks) {
  run(3, [](comm::Communicator& communicator) {
    const auto link = compress::internal::measure_link(communicator);
    EXPECT_GT(link.latency, 0.0);
    EXPECT_GE(link.seconds_per_byte, 0.0);
    EXPECT_GT(link.cpu_per_byte, 0.0);
    const auto all =
        comm::all_gather_values(communicator, std::vector{link.latency, link.seconds_per_byte});
    for (std::size_t i = 2; i < all.size(); ++i) EXPECT_EQ(all[i], all[i % 2]);
  });
}

TEST(GatherByMaker, GivesEachLayerWhatItsMakerSays) {
  run(3, [](comm::Communicator& communicator) {
    const std::vector<int> makers{2, 0, 2, 1};
    std::vector<double> own;
    for (std::size_t i = 0; i < makers.size(); ++i) {
      if (makers[i] != communicator.rank()) continue;
      own.insert(own.end(), {10.0 * static_cast<double>(i), 10.0 * static_cast<double>(i) + 1});
    }
    const auto all = compress::internal::gather_by_maker(communicator, makers, own, 2);
    ASSERT_EQ(all.size(), 4U);
    for (std::size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(all[i],
                (std::vector{10.0 * static_cast<double>(i), 10.0 * static_cast<double>(i) + 1}));
    }
  });
}

}  // namespace
}  // namespace convoy::tests
