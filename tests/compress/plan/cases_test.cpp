// SPDX-License-Identifier: Apache-2.0
// Tables in tests/data/plan whose optima are known from elsewhere: upper_bytes is the optimum,
// lower_bytes a bound.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "compress/plan/table_file.h"
#include "tests/compress/plan/tables.h"

namespace convoy::tests {
namespace {

class Case : public testing::TestWithParam<const char*> {
 protected:
  const std::string path_ = std::string(CONVOY_TEST_DATA "/plan/") + GetParam() + ".json";
  const compress::TableFile file_ = compress::read_table(path_);
  const nlohmann::json expected_ = nlohmann::json::parse(read_text_file(path_)).at("expected");
};

TEST_P(Case, HasTheExpectedBudget) {
  const double expected = expected_.at("max_error");
  EXPECT_NEAR(compress::max_error(file_), expected, 1e-12 * expected);
}

TEST_P(Case, IsSolvedToTheOptimum) {
  const auto metric = file_.budget.metric;
  const auto choice = compress::lgreco(file_.table, compress::max_error(file_), metric);
  expect_consistent(file_.table, choice, metric);
  EXPECT_EQ(choice.bytes, expected_.at("upper_bytes").get<double>());
  EXPECT_TRUE(choice.is_optimal());
  const double bound = expected_.at("lower_bytes");
  EXPECT_NEAR(choice.lower_bound_bytes, bound, 1e-9 * bound);
}

INSTANTIATE_TEST_SUITE_P(Files, Case,
                         testing::Values("two_layers", "resnet18_quantize", "resnet18_top_k",
                                         "resnet18_power_sgd"),
                         [](const auto& named) { return std::string(named.param); });

}  // namespace
}  // namespace convoy::tests
