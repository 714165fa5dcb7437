// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/backoff.h"

#include <gtest/gtest.h>

namespace convoy::tests {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, GrowsToItsMostAndStartsAnew) {
  trainer::Backoff backoff({.first = 100ms, .most = 1000ms}, 5);
  trainer::Backoff other({.first = 100ms, .most = 1000ms}, 6);
  bool differs = false;
  for (const auto whole : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    const auto wait = backoff.next();
    EXPECT_GE(wait, whole / 2);
    EXPECT_LE(wait, whole);
    differs |= wait != other.next();
  }
  EXPECT_TRUE(differs) << "all sites would dial at the same moments";
  for (int i = 0; i < 100; ++i) EXPECT_LE(backoff.next(), 1000ms);
  backoff.reset();
  EXPECT_LE(backoff.next(), 100ms);
}

TEST(Backoff, StartsAnewAfterALongConnection) {
  trainer::Backoff backoff({.first = 100ms, .most = 1000ms}, 5);
  for (int i = 0; i < 5; ++i) (void)backoff.next();
  backoff.lasted(1000ms);
  EXPECT_GE(backoff.next(), 500ms);
  backoff.lasted(1001ms);
  EXPECT_LE(backoff.next(), 100ms);
}

}  // namespace
}  // namespace convoy::tests
