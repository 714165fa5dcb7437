// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/update_bounds.h"

#include <gtest/gtest.h>

namespace convoy::tests {
namespace {

using trainer::excess_of;
using trainer::ModelState;
using trainer::ModelUpdate;
using trainer::SitesConfig;

/// Norm of the delta 5, of the change of the buffers 10; a counter has gone far.
struct Case {
  ModelUpdate update{.delta = {torch::full({9}, 1.0), torch::full({4}, 2.0)},
                     .buffers = {torch::full({4}, 8.0), torch::tensor(1000000)}};
  ModelState model{.parameters = {torch::zeros({9}), torch::zeros({4})},
                   .buffers = {torch::full({4}, 3.0), torch::tensor(0)}};
};

TEST(UpdateBounds, AreOffByDefault) {
  const Case one;
  EXPECT_EQ(excess_of(one.update, one.model, SitesConfig{}), std::nullopt);
}

TEST(UpdateBounds, HoldForTheParameters) {
  const Case one;
  EXPECT_EQ(excess_of(one.update, one.model, SitesConfig{.max_update_norm = 5.001}), std::nullopt);
  EXPECT_EQ(excess_of(one.update, one.model, SitesConfig{.max_update_norm = 4.9}),
            "its norm is 5, over sites.max_update_norm = 4.9");
}

TEST(UpdateBounds, HoldForTheChangeOfBuffers) {
  const Case one;
  EXPECT_EQ(excess_of(one.update, one.model, SitesConfig{.max_buffer_norm = 10.001}), std::nullopt);
  EXPECT_EQ(excess_of(one.update, one.model, SitesConfig{.max_buffer_norm = 9.9}),
            "the change of its buffers has norm 10, over sites.max_buffer_norm = 9.9");
}

}  // namespace
}  // namespace convoy::tests
