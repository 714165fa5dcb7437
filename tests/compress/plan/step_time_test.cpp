// SPDX-License-Identifier: Apache-2.0
#include "compress/plan/step_time.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/random.h"

namespace convoy::compress {
namespace {

LevelTime dense(double bytes) { return {0.0, bytes, Carriage::kDense}; }
LevelTime packed(double codec, double bytes) { return {codec, bytes, Carriage::kCompressed}; }

// Three buckets, 1 byte a millisecond, 0.5 ms a collective; all in milliseconds.
constexpr double kMs = 1e-3;

StepModel slow_line() {
  return {.ready = {10 * kMs, 20 * kMs, 30 * kMs}, .latency = 0.5 * kMs, .seconds_per_byte = kMs};
}

TEST(PredictedSeconds, AreThoseOfATimetableByHand) {
  const std::vector<LayerTimes> times{{0, {dense(40), packed(2 * kMs, 5)}},
                                      {1, {dense(8), packed(1 * kMs, 2)}},
                                      {2, {dense(4), packed(1 * kMs, 1)}}};
  // Dense: 10 -> 50.5 -> 59 -> 63.5, each behind the one before.
  EXPECT_NEAR(predicted_seconds(times, slow_line(), {0, 0, 0}), 63.5 * kMs, 1e-12);
  // Packed: 10 + 2 + 5 + 1 = 18; ready at 20 + 2: 22 + 1 + 2 + 1 = 26; ready at 30 + 3: 36.
  EXPECT_NEAR(predicted_seconds(times, slow_line(), {1, 1, 1}), 36 * kMs, 1e-12);
  // The first packed: 18; the second is ready at 22, through at 30.5; the third at 32 + 4.5.
  EXPECT_NEAR(predicted_seconds(times, slow_line(), {1, 0, 0}), 36.5 * kMs, 1e-12);
}

TEST(PredictedSeconds, MissInBackwardWhatSendingTakesOfTheCpu) {
  const std::vector<LayerTimes> times{{0, {dense(4), packed(2 * kMs, 1)}}, {1, {dense(1)}}};
  StepModel model{.ready = {10 * kMs, 30 * kMs}, .seconds_per_byte = kMs, .cpu_per_byte = kMs / 2};
  // The second bucket is late by 4 bytes, or by the codec and one byte.
  EXPECT_NEAR(predicted_seconds(times, model, {0, 0}), 33 * kMs, 1e-12);
  EXPECT_NEAR(predicted_seconds(times, model, {1, 0}), 33.5 * kMs, 1e-12);
}

TEST(PredictedSeconds, CountCollectivesOnceForLayersThatTravelAlike) {
  const StepModel model{.ready = {0.0}, .latency = 1.0, .seconds_per_byte = 0.0};
  const LayerTimes layer{0,
                         {{0.0, 0.0, Carriage::kDense},
                          {0.0, 0.0, Carriage::kHalf},
                          {0.0, 0.0, Carriage::kCompressed}}};
  const std::vector<LayerTimes> times(4, layer);
  EXPECT_EQ(predicted_seconds(times, model, {0, 0, 0, 0}), 1.0);
  EXPECT_EQ(predicted_seconds(times, model, {2, 2, 2, 2}), 2.0);
  EXPECT_EQ(predicted_seconds(times, model, {0, 2, 0, 2}), 3.0);
  EXPECT_EQ(predicted_seconds(times, model, {0, 2, 1, 1}), 5.0);
}

Table table_of(const std::vector<std::vector<LevelCost>>& layers) {
  Table table;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    table.push_back({"layer" + std::to_string(i), 100, layers[i]});
  }
  return table;
}

TEST(Fastest, SendsDenseWhereTheLineIsFast) {
  const Table table = table_of({{{Level(4), 10, 1.0}, {Level::dense(), 100, 0.0}}});
  const std::vector<LayerTimes> times{{0, {packed(5 * kMs, 10), dense(100)}}};
  StepModel model{.ready = {kMs}, .latency = 0.0, .seconds_per_byte = 1e-9};
  EXPECT_EQ(fastest(table, times, model, 1.0, ErrorMetric::kSquaredL2).levels,
            std::vector<std::size_t>{1});
  model.seconds_per_byte = kMs;
  EXPECT_EQ(fastest(table, times, model, 1.0, ErrorMetric::kSquaredL2).levels,
            std::vector<std::size_t>{0});
  // No budget, no compression.
  EXPECT_EQ(fastest(table, times, model, 0.5, ErrorMetric::kSquaredL2).levels,
            std::vector<std::size_t>{1});
}

TEST(Fastest, SpendsTheErrorWhereNothingHidesTheBytes) {
  // The first bucket has 100 ms of backward to hide in; the plan of the fewest bytes spends the
  // budget there.
  const Table table = table_of({{{Level(4), 10, 1.0}, {Level::dense(), 60, 0.0}},
                                {{Level(4), 10, 1.0}, {Level::dense(), 40, 0.0}}});
  const std::vector<LayerTimes> times{{0, {packed(0.0, 10), dense(60)}},
                                      {1, {packed(0.0, 10), dense(40)}}};
  const StepModel model{.ready = {1 * kMs, 101 * kMs}, .latency = 0.0, .seconds_per_byte = 1 * kMs};
  EXPECT_EQ(lgreco(table, 1.0, ErrorMetric::kSquaredL2).levels, (std::vector<std::size_t>{0, 1}));
  const Choice choice = fastest(table, times, model, 1.0, ErrorMetric::kSquaredL2);
  EXPECT_EQ(choice.levels, (std::vector<std::size_t>{1, 0}));
  EXPECT_EQ(choice.bytes, 70.0);
  EXPECT_EQ(choice.error, 1.0);
}

// All plans, one after the other.
double least_seconds(const Table& table, const std::vector<LayerTimes>& times,
                     const StepModel& model, double max_error) {
  std::vector<std::size_t> levels(table.size());
  double least = std::numeric_limits<double>::infinity();
  for (;;) {
    double error = 0.0;
    for (std::size_t i = 0; i < table.size(); ++i) error += table[i].levels[levels[i]].error;
    if (error <= max_error) least = std::min(least, predicted_seconds(times, model, levels));
    std::size_t i = 0;
    while (i < levels.size() && ++levels[i] == table[i].levels.size()) levels[i++] = 0;
    if (i == levels.size()) return least;
  }
}

TEST(Fastest, IsNearTheBestOfAllPlansAndNeverWorseThanTheSimpleOnes) {
  double worst = 1.0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random random({seed});
    Table table;
    std::vector<LayerTimes> times;
    StepModel model{.latency = random.uniform() * kMs,
                    .seconds_per_byte = random.uniform() * kMs,
                    .cpu_per_byte = seed % 2 == 0 ? 0.0 : random.uniform() * 0.2 * kMs};
    for (std::size_t b = 0; b < 3; ++b) {
      model.ready.push_back((b == 0 ? 0.0 : model.ready.back()) + random.uniform() * 40 * kMs);
    }
    for (std::size_t i = 0; i < 6; ++i) {
      const double size = 10 + 90 * random.uniform();
      LayerTable layer{"layer" + std::to_string(i), 100, {}};
      LayerTimes time{i / 2, {}};
      for (const double share : {0.05, 0.2, 0.5, 1.0}) {
        const bool is_dense = share == 1.0;
        layer.levels.push_back({is_dense ? Level::dense() : Level(share), share * size,
                                is_dense ? 0.0 : (1 - share) * size * random.uniform()});
        time.levels.push_back({is_dense ? 0.0 : random.uniform() * 3 * kMs, share * size,
                               is_dense ? Carriage::kDense : Carriage::kCompressed});
      }
      table.push_back(layer);
      times.push_back(time);
    }
    const double max_error = 100 * random.uniform();
    const Choice choice = fastest(table, times, model, max_error, ErrorMetric::kSquaredL2);
    const double found = predicted_seconds(times, model, choice.levels);
    EXPECT_LE(choice.error, max_error);
    EXPECT_LE(found, predicted_seconds(times, model, std::vector<std::size_t>(6, 3)));
    EXPECT_LE(found, predicted_seconds(times, model,
                                       lgreco(table, max_error, ErrorMetric::kSquaredL2).levels));
    worst = std::max(worst, found / least_seconds(table, times, model, max_error));
  }
  EXPECT_LE(worst, 1.03);
}

TEST(Fastest, RefusesTimesOfOtherLevels) {
  const Table table = table_of({{{Level(4), 10, 1.0}, {Level::dense(), 100, 0.0}}});
  const StepModel model{.ready = {0.0}};
  EXPECT_THROW((void)fastest(table, {}, model, 1.0, ErrorMetric::kSquaredL2), ContractError);
  EXPECT_THROW((void)fastest(table, {{0, {dense(1)}}}, model, 1.0, ErrorMetric::kSquaredL2),
               ContractError);
  EXPECT_THROW(
      (void)fastest(table, {{1, {dense(1), dense(2)}}}, model, 1.0, ErrorMetric::kSquaredL2),
      ContractError);
}

}  // namespace
}  // namespace convoy::compress
