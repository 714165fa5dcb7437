// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/gradient_window.h"

#include <gtest/gtest.h>

#include <limits>

#include "compress/reduce/host_executor.h"

namespace convoy::tests {
namespace {

using compress::host_executors;
using compress::internal::GradientSums;
using compress::internal::GradientWindow;
using Values = std::vector<float>;

void add_step(GradientWindow& window, const Values& a, const Values& b) {
  window.add("a", a);
  window.add("b", b);
}

TEST(GradientWindow, AddsUpTheStepsThatAreCommitted) {
  GradientWindow window(host_executors().reducing);
  add_step(window, {1, 2}, {3});
  window.commit();
  add_step(window, {10, 20}, {30});
  window.commit();
  window.commit();  // a step outside of the window
  EXPECT_EQ(window.steps(), 2);
  EXPECT_EQ(window.take(), (GradientSums{{"a", {11, 22}}, {"b", {33}}}));
  EXPECT_EQ(window.steps(), 0);
  EXPECT_TRUE(window.take().empty());
}

TEST(GradientWindow, BeginsAnewAfterADiscardedStep) {
  GradientWindow window(host_executors().reducing);
  add_step(window, {1, 2}, {3});
  window.commit();
  add_step(window, {std::numeric_limits<float>::quiet_NaN(), 1}, {1});
  window.discard();
  EXPECT_EQ(window.steps(), 0);
  add_step(window, {4, 5}, {6});
  window.commit();
  EXPECT_EQ(window.steps(), 1);
  EXPECT_EQ(window.take(), (GradientSums{{"a", {4, 5}}, {"b", {6}}}));
}

TEST(GradientWindow, StaysWhenAStepOutsideOfItIsDiscarded) {
  GradientWindow window(host_executors().reducing);
  add_step(window, {1, 2}, {3});
  window.commit();
  window.discard();
  EXPECT_EQ(window.steps(), 1);
  EXPECT_EQ(window.take(), (GradientSums{{"a", {1, 2}}, {"b", {3}}}));
}

}  // namespace
}  // namespace convoy::tests
