// SPDX-License-Identifier: Apache-2.0
// Numbers computed elsewhere (Python, decimal with 30 digits), as the formulas of the papers say.
#include "scheduler/aggregation_weights.h"

#include <gtest/gtest.h>

#include "base/errors.h"

namespace convoy::tests {
namespace {

using namespace scheduler;
using Function = Staleness::Function;

double s(Function function, double a, double b, std::int64_t u) {
  return staleness_weight({.function = function, .a = a, .b = b}, u);
}

TEST(AggregationWeights, StalenessFunctions) {
  EXPECT_EQ(s(Function::kConstant, 0.5, 4.0, 1000), 1.0);
  EXPECT_EQ(s(Function::kPolynomial, 0.5, 4.0, 0), 1.0);
  EXPECT_DOUBLE_EQ(s(Function::kPolynomial, 0.5, 4.0, 1), 0.707106781186547524);
  EXPECT_DOUBLE_EQ(s(Function::kPolynomial, 0.5, 4.0, 7), 0.353553390593273762);
  EXPECT_DOUBLE_EQ(s(Function::kPolynomial, 0.3, 4.0, 4), 0.617033862720009637);
  EXPECT_EQ(s(Function::kHinge, 10.0, 4.0, 4), 1.0);
  EXPECT_DOUBLE_EQ(s(Function::kHinge, 10.0, 4.0, 5), 0.0909090909090909091);
  EXPECT_DOUBLE_EQ(s(Function::kHinge, 0.5, 2.0, 9), 0.222222222222222222);
  EXPECT_THROW((void)s(Function::kConstant, 0.5, 4.0, -1), ContractError);
}

TEST(AggregationWeights, OlderUpdatesNeverCountForMore) {
  for (const auto function : {Function::kConstant, Function::kPolynomial, Function::kHinge}) {
    for (std::int64_t u = 0; u < 50; ++u) {
      EXPECT_LE(s(function, 0.5, 4.0, u + 1), s(function, 0.5, 4.0, u));
      EXPECT_GT(s(function, 0.5, 4.0, u), 0.0);
    }
  }
}

TEST(AggregationWeights, Rules) {
  // 0.9 * 0.5^0.5 * 300 / 1700
  EXPECT_DOUBLE_EQ(fedcompass_weight(0.9, 0.707106781186547524, 300, 1700), 0.112305194659039901);
  EXPECT_DOUBLE_EQ(fedavg_weight(300, 1000), 0.3);
  // 0.6 * 8^-0.5
  EXPECT_DOUBLE_EQ(fedasync_weight(0.6, 0.353553390593273762), 0.212132034355964257);
  // 1 * 2^-0.5 / 10
  EXPECT_DOUBLE_EQ(fedbuff_weight(1.0, 0.707106781186547524, 10), 0.0707106781186547524);
  EXPECT_THROW((void)fedcompass_weight(0.9, 1.0, 1.0, 0.0), ContractError);
  EXPECT_THROW((void)fedavg_weight(1.0, 0.0), ContractError);
  EXPECT_THROW((void)fedbuff_weight(1.0, 1.0, 0), ContractError);
}

TEST(AggregationWeights, ThoseOfBuffersSumToOneAtMost) {
  EXPECT_EQ(buffer_weights(std::vector<double>{0.25, 0.5}), (std::vector<double>{0.25, 0.5}));
  EXPECT_EQ(buffer_weights(std::vector<double>{1.0, 3.0}), (std::vector<double>{0.25, 0.75}));
  EXPECT_TRUE(buffer_weights({}).empty());
}

}  // namespace
}  // namespace convoy::tests
