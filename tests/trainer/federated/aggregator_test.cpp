// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/aggregator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/errors.h"
#include "tests/trainer/federated/tensor_model.h"

namespace convoy::trainer {
namespace {

using tests::tensor_of;
using tests::values_of;
using Values = std::vector<double>;

constexpr std::size_t kNumel = 40;

/// One parameter, one floating-point buffer and one counter, with updates drawn from a seed; and
/// the same in double precision.
class AggregatorTest : public testing::Test {
 protected:
  AggregatorTest()
      : weights(tests::random_values(kNumel, 1.0, random)),
        mean{1.0, 2.0, 3.0},
        model({{"w", tensor_of(weights).set_requires_grad(true)}},
              {{"mean", tensor_of(mean)}, {"count", torch::tensor(7, torch::kInt64)}}) {}

  ModelUpdate update(std::int64_t version, std::int64_t arrival) {
    deltas.push_back(tests::random_values(kNumel, 0.1, random));
    means.push_back(tests::random_values(3, 1.0, random));
    return {.version = version,
            .arrival = arrival,
            .delta = {tensor_of(deltas.back())},
            .buffers = {tensor_of(means.back()),
                        torch::tensor(100 * version + arrival, torch::kInt64)}};
  }

  /// w + scale * sum c_i delta_i
  [[nodiscard]] Values moved(const Values& c) const {
    Values expected = weights;
    for (std::size_t i = 0; i < c.size(); ++i) {
      for (std::size_t k = 0; k < kNumel; ++k) expected[k] += c[i] * deltas[i][k];
    }
    return expected;
  }

  /// (1 - sum c_i) b + sum c_i b_i
  [[nodiscard]] Values mixed(const Values& c) const {
    Values expected = mean;
    for (std::size_t k = 0; k < 3; ++k) {
      double sum = 0.0;
      for (std::size_t i = 0; i < c.size(); ++i) {
        sum += c[i];
        expected[k] += c[i] * means[i][k];
      }
      expected[k] -= sum * mean[k];
    }
    return expected;
  }

  static void expect_near(const torch::Tensor& found, const Values& expected) {
    const Values values = values_of(found);
    ASSERT_EQ(values.size(), expected.size());
    for (std::size_t k = 0; k < values.size(); ++k) {
      EXPECT_NEAR(values[k], expected[k], 2e-6 * std::max(1.0, std::abs(expected[k])));
    }
  }

  Random random{std::uint64_t{5}};
  Values weights;
  Values mean;
  std::vector<Values> deltas;
  std::vector<Values> means;
  tests::TensorModel model;
};

TEST_F(AggregatorTest, AddsWeightedDifferencesAndMixesBuffers) {
  Aggregator aggregator(model, {});
  const Values c{0.2, 0.05, 0.4};
  for (const double coefficient : c) aggregator.add(update(0, 0), coefficient);
  aggregator.finish();
  expect_near(aggregator.model()->parameters[0], moved(c));
  expect_near(aggregator.model()->buffers[0], mixed(c));
  EXPECT_EQ(aggregator.version(), 1);
}

TEST_F(AggregatorTest, ScalesWhatWasAddedBeforeTheScaleWasKnown) {
  Aggregator aggregator(model, {});
  for (const double samples : {30.0, 50.0, 20.0}) aggregator.add(update(0, 0), samples);
  aggregator.finish(1.0 / 100.0);
  const Values c{0.3, 0.5, 0.2};
  expect_near(aggregator.model()->parameters[0], moved(c));
  expect_near(aggregator.model()->buffers[0], mixed(c));
}

TEST_F(AggregatorTest, CapsTheSumOfBufferCoefficientsAtOne) {
  Aggregator aggregator(model, {});
  for (const double coefficient : {0.9, 0.9, 0.2}) aggregator.add(update(0, 0), coefficient);
  aggregator.finish();
  expect_near(aggregator.model()->parameters[0], moved({0.9, 0.9, 0.2}));
  expect_near(aggregator.model()->buffers[0], mixed({0.45, 0.45, 0.1}));
}

TEST_F(AggregatorTest, AVarianceNeverBecomesNegative) {
  const tests::TensorModel one({}, {{"var", tensor_of({1e-3})}});
  Aggregator aggregator(one, {});
  for (int i = 0; i < 50; ++i) {
    aggregator.add({.version = 0, .buffers = {tensor_of({1e-6})}}, 0.9);
    aggregator.add({.version = 0, .buffers = {tensor_of({0.0})}}, 0.9);
    aggregator.finish();
    EXPECT_GE(aggregator.model()->buffers[0].item<double>(), 0.0);
  }
}

TEST_F(AggregatorTest, IntegersComeFromTheNewestStartThenTheLatestArrival) {
  Aggregator aggregator(model, {});
  for (const auto& [version, arrival] : {std::pair{2, 9}, {3, 4}, {3, 6}, {3, 5}, {1, 11}}) {
    aggregator.add(update(version, arrival), 0.1);
  }
  aggregator.finish();
  EXPECT_EQ(aggregator.model()->buffers[1].item<std::int64_t>(), 306);
}

TEST_F(AggregatorTest, FedAsyncMixesModelsAndNotDifferences) {
  Aggregator aggregator(model, {});
  const SharedState start = aggregator.model();
  aggregator.add(update(0, 0), 1.0);
  aggregator.finish();
  const double c = 0.3;
  aggregator.mix(update(0, 1), *start, c);
  aggregator.finish();
  Values expected = moved({1.0});
  for (std::size_t k = 0; k < kNumel; ++k) {
    expected[k] = (1.0 - c) * expected[k] + c * (weights[k] + deltas[1][k]);
  }
  expect_near(aggregator.model()->parameters[0], expected);
}

TEST_F(AggregatorTest, WhoHoldsAVersionKeepsIt) {
  Aggregator aggregator(model, {});
  const SharedState first = aggregator.model();
  const Values before = values_of(first->parameters[0]);
  aggregator.add(update(0, 0), 1.0);
  aggregator.finish();
  EXPECT_EQ(values_of(first->parameters[0]), before);
  EXPECT_EQ(values_of(model.parameters()[0].tensor), before);
  EXPECT_FALSE(aggregator.model()->parameters[0].requires_grad());
}

TEST_F(AggregatorTest, GoesOnFromItsSavedStateBitForBit) {
  const ServerOptimizerConfig yogi{.name = "fedyogi", .lr = 0.05};
  Aggregator first(model, yogi);
  first.add(update(0, 0), 0.5);
  first.finish();
  std::vector<NamedTensor> saved;
  for (const auto& entry : first.state()) saved.push_back({entry.name, entry.tensor.clone()});
  const ModelUpdate next = update(1, 1);
  first.add(next, 0.5);
  first.finish();

  Aggregator second(model, yogi);
  second.load_state(saved, 1);
  second.add(next, 0.5);
  second.finish();
  EXPECT_EQ(second.version(), 2);
  EXPECT_TRUE(torch::equal(first.model()->parameters[0], second.model()->parameters[0]));
  EXPECT_TRUE(torch::equal(first.model()->buffers[0], second.model()->buffers[0]));
}

TEST_F(AggregatorTest, RefusesAStateOfAnotherModel) {
  Aggregator aggregator(model, {});
  EXPECT_THROW(aggregator.load_state({{"parameter/v", torch::zeros({3})}}, 1), ConfigError);
}

TEST_F(AggregatorTest, KeepsNoUpdates) {
  Aggregator aggregator(model, {});
  const std::size_t alone = aggregator.memory_bytes();
  for (int i = 0; i < 100; ++i) aggregator.add(update(0, i), 0.01);
  EXPECT_LE(aggregator.memory_bytes(), 2 * alone);
}

TEST(ModelUpdate, FindsWhatIsNotFinite) {
  ModelUpdate update{.delta = {tensor_of({1.0, 2.0})},
                     .buffers = {torch::tensor(3, torch::kInt64)}};
  EXPECT_TRUE(is_finite(update));
  update.delta.push_back(tensor_of({std::nan("")}));
  EXPECT_FALSE(is_finite(update));
  update.delta.pop_back();
  update.buffers.push_back(tensor_of({INFINITY}));
  EXPECT_FALSE(is_finite(update));
}

/// Wherever it stands: LibTorch looks at several elements at a time.
TEST(ModelUpdate, FindsOneBadElementOfAnyTypeAtAnyPlace) {
  const double largest = std::numeric_limits<float>::max();
  for (const auto type : {torch::kFloat, torch::kDouble, torch::kHalf, torch::kBFloat16}) {
    for (const std::int64_t count : {1, 2, 7, 16, 33, 1000}) {
      ModelUpdate update{.delta = {torch::full({count}, -0.5).to(type)}, .buffers = {}};
      torch::Tensor values = update.delta[0];
      if (type == torch::kFloat || type == torch::kDouble) values[count / 2] = largest;
      EXPECT_TRUE(is_finite(update)) << toString(type) << " " << count;
      for (std::int64_t at = 0; at < count; at += std::max<std::int64_t>(1, count / 13)) {
        for (const double bad :
             {std::nan(""), static_cast<double>(INFINITY), -static_cast<double>(INFINITY)}) {
          const torch::Tensor kept = values[at].clone();
          values[at] = bad;
          EXPECT_FALSE(is_finite(update)) << toString(type) << " " << count << " " << at;
          values[at].copy_(kept);
        }
      }
    }
  }
  EXPECT_TRUE(is_finite({.delta = {torch::zeros({0})}, .buffers = {torch::zeros({3, 0})}}));
}

}  // namespace
}  // namespace convoy::trainer
