// SPDX-License-Identifier: Apache-2.0
#include "launch/process/startup_check.h"

#include <gtest/gtest.h>

namespace convoy::launch {
namespace {

TEST(StartupCheck, SilentWhenRanksAgree) {
  const std::vector<Fingerprint> ranks(3, {1, 2});
  EXPECT_TRUE(differences(ranks).empty());
}

TEST(StartupCheck, NamesTheRanksThatDiffer) {
  const std::vector<Fingerprint> ranks{{1, 2}, {1, 3}, {9, 2}, {1, 3}};
  const auto lines = differences(ranks);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "rank 2 runs another convoy, compiler or LibTorch than rank 0");
  EXPECT_EQ(lines[1].rfind("ranks 1, 3 compute", 0), 0U) << lines[1];
}

}  // namespace
}  // namespace convoy::launch
