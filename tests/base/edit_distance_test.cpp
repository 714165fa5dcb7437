// SPDX-License-Identifier: Apache-2.0
#include "base/edit_distance.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

TEST(EditDistance, CountsSingleEdits) {
  EXPECT_EQ(edit_distance("lr", "lr"), 0U);
  EXPECT_EQ(edit_distance("", "epochs"), 6U);
  EXPECT_EQ(edit_distance("epochs", ""), 6U);
  EXPECT_EQ(edit_distance("epoch", "epochs"), 1U);
  EXPECT_EQ(edit_distance("batch_sise", "batch_size"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(EditDistance, CountsSwappedNeighboursOnce) {
  EXPECT_EQ(edit_distance("sedd", "seed"), 1U);
  EXPECT_EQ(edit_distance("nmae", "name"), 1U);
}

}  // namespace
}  // namespace convoy
