// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/answer_times.h"

#include <gtest/gtest.h>

namespace convoy::trainer {
namespace {

TEST(AnswerTimes, SumUpWhateverTheOrder) {
  AnswerTimes times;
  for (int i = 200; i >= 0; --i) times.add(0.001 * i);
  const AnswerSummary summary = times.summary();
  EXPECT_EQ(summary.count, 201);
  EXPECT_DOUBLE_EQ(summary.median, 0.1);
  EXPECT_DOUBLE_EQ(summary.p99, 0.198);
  EXPECT_DOUBLE_EQ(summary.maximum, 0.2);
}

TEST(AnswerTimes, AreZeroWhereNobodyWasAnswered) {
  EXPECT_EQ(AnswerTimes().summary().count, 0);
  EXPECT_EQ(AnswerTimes().summary().maximum, 0.0);
}

}  // namespace
}  // namespace convoy::trainer
