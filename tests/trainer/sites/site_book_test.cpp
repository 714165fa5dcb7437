// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/site_book.h"

#include <gtest/gtest.h>

#include <limits>

namespace convoy::tests {
namespace {

TEST(SiteBook, BoundsOneThatComesLater) {
  trainer::SiteBook book;
  book.add("a", {.client = 0, .samples = 100});
  book.add("b", {.client = 1, .samples = 100});
  EXPECT_EQ(book.bounded_latecomer(1000, 1.0), 1000);
  EXPECT_EQ(book.bounded_latecomer(1000, 0.5), 200);  // half of all three
  EXPECT_EQ(book.bounded_latecomer(7, 0.5), 7);
  EXPECT_EQ(book.bounded_latecomer(std::numeric_limits<std::int64_t>::max(), 0.2), 50);
}

TEST(SiteBook, BoundsTheShareOfTheLargest) {
  using trainer::bounded_samples;
  EXPECT_EQ(bounded_samples({10, 20, 30}, 1.0), (std::vector<std::int64_t>{10, 20, 30}));
  EXPECT_EQ(bounded_samples({10, 10, 80}, 0.5), (std::vector<std::int64_t>{10, 10, 20}));
  EXPECT_EQ(bounded_samples({10, 10, 80}, 0.1), (std::vector<std::int64_t>{10, 10, 10}));
  const auto two = bounded_samples({100, 100, 10, 10, 10}, 0.3);  // c = 0.3 (30 + 2c)
  EXPECT_EQ(two, (std::vector<std::int64_t>{22, 22, 10, 10, 10}));
}

}  // namespace
}  // namespace convoy::tests
