// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/partition_table.h"

#include <gtest/gtest.h>

namespace convoy::trainer {
namespace {

TEST(PartitionTable, CountsTheClassesOfEachClient) {
  const std::vector<std::int64_t> labels{0, 1, 2, 0, 1, 0};
  EXPECT_EQ(count_classes({{0, 3, 5}, {1, 2, 4}}, labels, 3), (ClassCounts{{3, 0, 0}, {0, 2, 1}}));
}

TEST(PartitionTable, ScoresEqualMixturesZeroWhateverTheSizes) {
  EXPECT_DOUBLE_EQ(heterogeneity({{10, 20}, {1, 2}, {100, 200}}), 0.0);
}

TEST(PartitionTable, ScoresOneClassAClientNearOne) {
  EXPECT_DOUBLE_EQ(heterogeneity({{5, 0, 0, 0}, {0, 5, 0, 0}, {0, 0, 5, 0}, {0, 0, 0, 5}}), 0.75);
}

TEST(PartitionTable, WeightsClientsByTheirSamples) {
  // All: 1/2, 1/2. Client 0 (30 of 40): |2/3 - 1/2|; client 1: |0 - 1/2|.
  EXPECT_NEAR(heterogeneity({{20, 10}, {0, 10}}), 0.75 * (1.0 / 6.0) + 0.25 * 0.5, 1e-15);
}

TEST(PartitionTable, PrintsALineAClientAndTheTotals) {
  EXPECT_EQ(format_table({{3, 0}, {0, 12}}),
            "  client   samples        0      1\n"
            "       0         3        3      0\n"
            "       1        12        0     12\n"
            "     all        15        3     12\n"
            "heterogeneity 0.320 (mean total variation distance to all)\n");
}

}  // namespace
}  // namespace convoy::trainer
