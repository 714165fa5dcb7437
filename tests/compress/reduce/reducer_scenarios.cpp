// SPDX-License-Identifier: Apache-2.0
#include "tests/compress/reduce/reducer_scenarios.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "comm/values.h"
#include "tests/compress/reduce/reducer_kit.h"

namespace convoy::tests {
namespace {

using compress::CompressionConfig;
using compress::Layer;
using compress::Reducer;

std::unique_ptr<Reducer> make(comm::Communicator& communicator, const CompressionConfig& config) {
  return make_reducer_on(communicator, config, 7);
}

Gradients own_gradients(const comm::Communicator& communicator, std::int64_t step) {
  return gradients_of(small_model(), communicator.rank(), step);
}

/// The mean over ranks of what this layer's residuals hold.
std::vector<double> mean_residual(comm::Communicator& communicator, Reducer& reducer,
                                  const Layer& layer) {
  const auto state = reducer.state();
  const auto found = state.arrays.find("residual/" + layer.name);
  std::vector<double> sum(static_cast<std::size_t>(layer.numel));
  if (found != state.arrays.end() && !found->second.empty()) {
    std::ranges::copy(found->second, sum.begin());
  }
  sum = comm::all_reduce_values(communicator, sum);
  for (double& value : sum) value /= communicator.size();
  return sum;
}

void expect_same_everywhere(comm::Communicator& communicator, std::int64_t hash,
                            const std::string& what) {
  const auto hashes = comm::all_gather_values(communicator, std::vector{hash});
  for (const auto each : hashes) EXPECT_EQ(each, hashes[0]) << what;
}

/// A single layer of `values`, averaged by a quantiser of `bits`.
std::vector<float> quantized_mean(comm::Communicator& communicator,
                                  const std::vector<float>& values, double bits,
                                  std::int64_t group) {
  auto config = config_of("quantize", bits);
  config.group = group;
  const auto numel = static_cast<std::int64_t>(values.size());
  const std::vector<Layer> layers{{"layer", 0, {1, numel}, numel}};
  const auto reducer = make(communicator, config);
  return reduce_step(*reducer, layers, {{"layer", values}}, 0).at("layer");
}

CompressionConfig planning(const std::string& family, double level) {
  auto config = config_of(family, level);
  config.policy = "lgreco";
  config.warmup_steps = 4;
  config.window = 3;
  config.adapt_every = 6;
  config.plan_lag = 2;
  return config;
}

std::vector<CompressionConfig> planning_families() {
  return {planning("quantize", 4), planning("top_k", 0.05), planning("power_sgd", 2)};
}

}  // namespace

void expect_nothing_is_lost(comm::Communicator& communicator) {
  constexpr std::int64_t kSteps = 12;
  for (const auto& [name, config] : all_families()) {
    const auto reducer = make(communicator, config);
    std::map<std::string, std::vector<double>> missing;  // true mean - applied
    for (std::int64_t step = 0; step < kSteps; ++step) {
      const auto applied =
          reduce_step(*reducer, small_model(), own_gradients(communicator, step), step);
      for (const auto& [layer, mean] : mean_gradients(small_model(), communicator.size(), step)) {
        auto& sum = missing[layer];
        sum.resize(mean.size());
        for (std::size_t i = 0; i < mean.size(); ++i) sum[i] += mean[i] - applied.at(layer)[i];
      }
    }
    for (const Layer& layer : small_model()) {
      const auto residual = mean_residual(communicator, *reducer, layer);
      double worst = 0.0;
      double largest = 1.0;
      for (std::size_t i = 0; i < residual.size(); ++i) {
        worst = std::max(worst, std::abs(residual[i] - missing[layer.name][i]));
        largest = std::max(largest, std::abs(residual[i]));
      }
      // Every step rounds sums of about the residual's size a few times.
      EXPECT_LT(worst, 4.0 * kSteps * largest * 0x1p-24) << name << ", " << layer.name;
    }
  }
}

void expect_equal_bits(comm::Communicator& communicator) {
  for (const auto& [name, config] : all_families()) {
    const auto one_bucket = make(communicator, config);
    const auto many_buckets = make(communicator, config);
    for (std::int64_t step = 0; step < 4; ++step) {
      const auto gradients = own_gradients(communicator, step);
      const auto first = hash_of(reduce_step(*one_bucket, small_model(), gradients, step));
      expect_same_everywhere(communicator, first, name);
      const auto second = hash_of(reduce_step(*many_buckets, small_model(), gradients, step, 1));
      EXPECT_EQ(first, second) << name << ": buckets change bits in step " << step;
    }
  }
}

void expect_dense_where_asked(comm::Communicator& communicator) {
  const auto dense = make(communicator, config_of("none", 0));
  for (auto [name, config] : all_families()) {
    config.exclude = {"conv2.*"};
    config.warmup_steps = 1;
    const auto reducer = make(communicator, config);
    for (std::int64_t step = 0; step < 2; ++step) {
      const auto gradients = own_gradients(communicator, step);
      const auto expected = reduce_step(*dense, small_model(), gradients, step);
      const auto found = reduce_step(*reducer, small_model(), gradients, step);
      for (const auto& [layer, values] : expected) {
        const bool compressed = step > 0 && communicator.size() > 1 &&
                                (layer == "conv1.weight" || layer == "fc.weight");
        EXPECT_EQ(found.at(layer) == values, !compressed) << name << ", " << layer << ", " << step;
      }
    }
  }
}

std::map<std::string, std::vector<float>> without_window(compress::Reducer& reducer) {
  auto arrays = reducer.state().arrays;
  std::erase_if(arrays, [](const auto& entry) { return entry.first.starts_with("window/"); });
  return arrays;
}

void expect_discard_leaves_no_trace(comm::Communicator& communicator) {
  auto configs = all_families();
  for (auto config : planning_families()) {
    config.warmup_steps = 1;
    config.window = 3;
    config.adapt_every = 3;  // every step belongs to a window
    configs.emplace_back(config.family + ", planned", config);
  }
  for (const auto& [name, config] : configs) {
    const auto undisturbed = make(communicator, config);
    const auto disturbed = make(communicator, config);
    auto poison = own_gradients(communicator, 99);
    if (communicator.rank() == 0) poison["conv2.weight"][17] = std::nanf("");
    std::int64_t expected = 0;
    std::int64_t found = 0;
    for (std::int64_t step = 0; step < 4; ++step) {
      if (step == 2) {
        (void)reduce_step(*disturbed, small_model(), poison, step);
        disturbed->discard_step();
      }
      const auto gradients = own_gradients(communicator, step);
      expected = hash_of(reduce_step(*undisturbed, small_model(), gradients, step));
      found = hash_of(reduce_step(*disturbed, small_model(), gradients, step));
    }
    EXPECT_EQ(found, expected) << name;
    EXPECT_TRUE(without_window(*disturbed) == without_window(*undisturbed)) << name;
  }
}

void expect_stated_bytes_are_sent(comm::Communicator& communicator) {
  // Factors beyond 8 KiB: smaller messages go to everybody at once, for speed.
  const std::vector<Layer> layers{{"a.weight", 0, {768, 640}, 491520},
                                  {"b.weight", 0, {600, 512}, 307200}};
  const auto gradients = gradients_of(layers, communicator.rank(), 0);
  const int ranks = communicator.size();
  for (const auto& [name, config] : all_families()) {
    const auto reducer = make(communicator, config);
    (void)reduce_step(*reducer, layers, gradients, 0);
    double stated = 0.0;
    for (const auto& plan : reducer->take_plans()) stated += ranks * plan.bytes;
    const auto sent = comm::all_reduce_value(
        communicator, static_cast<std::int64_t>(reducer->traffic().sent_bytes));
    // Positions that cluster otherwise than expected; headers of chunks, and the sizes of payloads.
    const double tolerance = config.family == "top_k" ? 0.05 : 0.01;
    EXPECT_NEAR(static_cast<double>(sent), stated, tolerance * stated) << name;
  }
}

void expect_resume_is_exact(comm::Communicator& communicator) {
  constexpr std::int64_t kSteps = 20;
  for (const auto& config : planning_families()) {
    std::vector<std::int64_t> hashes;
    const auto whole = make(communicator, config);
    for (std::int64_t step = 0; step < kSteps; ++step) {
      const auto gradients = own_gradients(communicator, step);
      hashes.push_back(hash_of(reduce_step(*whole, small_model(), gradients, step)));
    }
    // In warm-up, in a window, at its end, between a window and its plan, and behind that.
    for (const std::int64_t stop : {2, 8, 9, 10, 11, 12, 13}) {
      auto reducer = make(communicator, config);
      for (std::int64_t step = 0; step < kSteps; ++step) {
        if (step == stop) {
          const auto state = reducer->state();
          reducer = make(communicator, config);
          reducer->load_state(state);
        }
        const auto gradients = own_gradients(communicator, step);
        const auto hash = hash_of(reduce_step(*reducer, small_model(), gradients, step));
        EXPECT_EQ(hash, hashes[static_cast<std::size_t>(step)])
            << config.family << ": resumed before step " << stop << ", differs in step " << step;
      }
    }
  }
}

void expect_constants_are_exact(comm::Communicator& communicator) {
  for (int bits = 1; bits <= 8; ++bits) {
    for (const std::size_t count : {1, 63, 64, 65, 1000}) {
      const auto constant = 0.1F * static_cast<float>(communicator.rank() + 1);
      float sum = 0.0F;
      for (int rank = 0; rank < communicator.size(); ++rank) {
        sum += 0.1F * static_cast<float>(rank + 1);
      }
      const float mean = sum * (1.0F / static_cast<float>(communicator.size()));
      const auto found =
          quantized_mean(communicator, std::vector<float>(count, constant), bits, 64);
      EXPECT_EQ(found, std::vector<float>(count, mean)) << bits << " bits, " << count << " values";
    }
  }
}

void expect_ranges_within_bound(comm::Communicator& communicator) {
  const double ranks = communicator.size();
  for (const std::int64_t count : {128, 1024, 1025, 16384, 1'000'000}) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<float>(communicator.rank() + 1) * static_cast<float>(i);
    }
    for (const int bits : {2, 3, 4, 6, 8}) {
      for (const std::int64_t group : {64, 512, 2048}) {
        const auto mean = quantized_mean(communicator, values, bits, group);
        const double bound = 2.0 * static_cast<double>(std::min(group, count)) /
                             (std::pow(2.0, bits) - 1.0) * ranks * (ranks + 1.0);
        double worst = 0.0;
        for (std::size_t i = 0; i < mean.size(); ++i) {
          const double sum = static_cast<double>(i) * ranks * (ranks + 1.0) / 2.0;
          worst = std::max(worst, std::abs(ranks * static_cast<double>(mean[i]) - sum));
        }
        EXPECT_LE(worst, bound) << count << " values, " << bits << " bits, groups of " << group;
      }
    }
  }
}

void expect_full_rank_is_exact(comm::Communicator& communicator) {
  // As tall as wide, so that full rank still saves bytes: 12 (20 + 60) < 20 * 60 has rank 12.
  const std::vector<Layer> layers{{"layer", 0, {20, 60}, 1200}};
  Gradients gradients{{"layer", std::vector<float>(1200)}};
  std::vector<double> mean(1200);
  for (int rank = 0; rank < communicator.size(); ++rank) {
    for (std::size_t i = 0; i < 1200; ++i) {
      // Rank 10 at most: ten products of a row's and a column's function.
      double value = 0.0;
      for (int term = 1; term <= 10; ++term) {
        value += std::sin(term * 0.7 * static_cast<double>(i / 60) + rank) *
                 std::cos(term * 0.3 * static_cast<double>(i % 60) + term);
      }
      if (rank == communicator.rank()) gradients["layer"][i] = static_cast<float>(value);
      mean[i] += value / communicator.size();
    }
  }
  const auto reducer = make(communicator, config_of("power_sgd", 12));
  const auto found = reduce_step(*reducer, layers, gradients, 0).at("layer");
  for (std::size_t i = 0; i < 1200; ++i) {
    ASSERT_NEAR(found[i], mean[i], 2e-5) << i;
  }
}

void expect_plans_follow_the_schedule(comm::Communicator& communicator) {
  for (const auto& config : planning_families()) {
    const auto reducer = make(communicator, config);
    std::vector<compress::PlanRecord> plans;
    std::vector<std::int64_t> hashes;
    for (std::int64_t step = 0; step < 20; ++step) {
      const auto gradients = own_gradients(communicator, step);
      hashes.push_back(hash_of(reduce_step(*reducer, small_model(), gradients, step)));
      for (auto& plan : reducer->take_plans()) plans.push_back(std::move(plan));
    }
    // Windows end before steps 4, 10 and 16; plans follow two steps later.
    ASSERT_EQ(plans.size(), 4U) << config.family;
    const std::vector<std::int64_t> steps{4, 6, 12, 18};
    for (std::size_t i = 0; i < plans.size(); ++i) {
      EXPECT_EQ(plans[i].step, steps[i]) << config.family;
      EXPECT_EQ(plans[i].policy, i == 0 ? "uniform" : "lgreco");
      EXPECT_EQ(plans[i].layers.size(), 3U);
      expect_same_everywhere(communicator,
                             static_cast<std::int64_t>(std::hash<std::string>()(plans[i].hash)),
                             config.family);
      if (i == 0) continue;
      EXPECT_LE(plans[i].bytes, plans[i].uniform_bytes * (1 + 1e-12)) << config.family;
      EXPECT_LE(plans[i].error, plans[i].max_error) << config.family;
      EXPECT_LE(plans[i].bytes, plans[i].optimum_bytes * 1.001) << config.family;
    }
    auto follower = make_reducer_on(communicator, config, 7, plans);
    for (std::int64_t step = 0; step < 20; ++step) {
      const auto gradients = own_gradients(communicator, step);
      EXPECT_EQ(hash_of(reduce_step(*follower, small_model(), gradients, step)),
                hashes[static_cast<std::size_t>(step)])
          << config.family << ": replayed step " << step;
    }
  }
}

}  // namespace convoy::tests
