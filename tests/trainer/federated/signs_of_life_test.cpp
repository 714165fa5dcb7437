// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/signs_of_life.h"

#include <gtest/gtest.h>

namespace convoy::trainer {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(SignsOfLife, AreWhatWasHeard) {
  const WallTime start{};
  SignsOfLife signs(2, start);
  signs.look(start + milliseconds(400));
  signs.heard(1, start + milliseconds(400));
  signs.look(start + milliseconds(800));
  EXPECT_EQ(signs.last(0, start + milliseconds(900)), start);
  EXPECT_EQ(signs.last(1, start + milliseconds(900)), start + milliseconds(400));
}

/// A server that was suspended for a minute has heard nobody, and nobody was silent.
TEST(SignsOfLife, DoNotCountTimeInWhichTheServerStoodStill) {
  const WallTime start{};
  SignsOfLife signs(2, start);
  signs.look(start + milliseconds(100));
  const WallTime back = start + seconds(60) + milliseconds(100);
  // Who asks may wake up first.
  EXPECT_EQ(back - signs.last(0, back), milliseconds(100));
  signs.look(back);
  EXPECT_EQ(back - signs.last(0, back), milliseconds(100));
  signs.heard(1, back);
  signs.look(back + milliseconds(500));
  EXPECT_EQ(signs.last(1, back + milliseconds(500)), back);
}

TEST(SignsOfLife, SilenceThatWasListenedToCounts) {
  const WallTime start{};
  SignsOfLife signs(1, start);
  for (int i = 1; i <= 40; ++i) signs.look(start + i * milliseconds(500));
  EXPECT_EQ(signs.last(0, start + seconds(20)), start);
}

}  // namespace
}  // namespace convoy::trainer
