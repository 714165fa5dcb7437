// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/site_book.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

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

TEST(SiteBook, JudgesByTheNewestOfAllSites) {
  trainer::SiteBook book;
  for (const char* name : {"a", "b", "c"}) {
    book.add(name, {.client = name[0] - 'a', .samples = 100});
  }
  EXPECT_TRUE(std::isnan(book.judgement().loss));
  book.validated(0, {.loss = 9.0, .accuracy = 0.0, .samples = 30});
  book.validated(1, {.loss = 0.4, .accuracy = 0.9, .samples = 10});
  book.validated(0, {.loss = 2.0, .accuracy = 0.5, .samples = 30});
  book.validated(1, {.loss = std::nan(""), .accuracy = 1.0, .samples = 10});
  const auto check = [](const trainer::Evaluation& found) {
    EXPECT_DOUBLE_EQ(found.loss, (30 * 2.0 + 10 * 0.4) / 40);
    EXPECT_DOUBLE_EQ(found.accuracy, (30 * 0.5 + 10 * 0.9) / 40);
    EXPECT_EQ(found.samples, 40);
  };
  check(book.judgement());
  trainer::SiteBook again;
  again.load(nlohmann::json::parse(book.save().dump()));
  check(again.judgement());
}

TEST(SiteBook, RemembersARegressionsLoss) {
  trainer::SiteBook book;
  book.add("a", {.client = 0, .samples = 100});
  book.validated(0, {.loss = 2.0, .accuracy = std::nan(""), .samples = 3});
  trainer::SiteBook again;
  again.load(nlohmann::json::parse(book.save().dump()));
  EXPECT_DOUBLE_EQ(again.judgement().loss, 2.0);
  EXPECT_TRUE(std::isnan(again.judgement().accuracy));
}

}  // namespace
}  // namespace convoy::tests
