// SPDX-License-Identifier: Apache-2.0
#include "launch/bench/sleeping_model.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <vector>

#include "launch/bench/one_batch.h"
#include "trainer/loss.h"

namespace convoy::launch {
namespace {

using Seconds = std::chrono::duration<double>;

Seconds time_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::steady_clock::now() - begin;
}

TEST(SleepingModel, BringsTheRealGradientsLayerByLayerOverItsTime) {
  const OneBatch data("mlp", 4, 4, 7);
  const auto batch = data.get(std::vector<std::int64_t>(4), 0);
  const auto make = [&] { return trainer::make_model({.name = "mlp"}, data.info(), 1); };
  const auto real = make();
  const auto loss = [&](trainer::Model& model) {
    return trainer::mean_loss(data.info().task, model.forward(batch.inputs), batch.targets);
  };
  loss(*real).backward();

  constexpr Seconds kTime(0.12);
  SleepingModel sleeping(make(), data.info().task, batch, kTime);
  for (int pass = 0; pass < 2; ++pass) {
    for (const auto& named : sleeping.parameters())
      torch::Tensor(named.tensor).mutable_grad() = torch::Tensor();
    torch::Tensor found;
    EXPECT_GE(time_of([&] { found = loss(sleeping); }), kTime / 3);
    std::vector<Seconds> when;
    const auto begin = std::chrono::steady_clock::now();
    for (const auto& named : sleeping.parameters()) {
      named.tensor.register_hook([&](const torch::Tensor&) {
        when.emplace_back(std::chrono::steady_clock::now() - begin);
      });
    }
    EXPECT_GE(time_of([&] { found.backward(); }), kTime * 2 / 3);
    // Three matrices: a third of backward's time lies before each of them.
    ASSERT_GE(when.size(), 6U);
    EXPECT_LT(when.front(), kTime / 2);
    EXPECT_GE(when.back(), kTime * 2 / 3);
    const auto parameters = sleeping.parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      EXPECT_TRUE(torch::equal(parameters[i].tensor.grad(), real->parameters()[i].tensor.grad()))
          << parameters[i].name;
    }
  }
}

TEST(OneBatch, IsTheSameBatchForAnyIndices) {
  const OneBatch data("transformer", 3, 90, 7);
  EXPECT_EQ(data.size(), 90);
  const std::vector<std::int64_t> some{5, 80, 2};
  const std::vector<std::int64_t> fewer{5, 80};
  EXPECT_TRUE(torch::equal(data.get(some, 0).inputs, data.get(some, 1).inputs));
  EXPECT_EQ(data.get(fewer, 0).samples(), 2);
  EXPECT_EQ(data.get(some, 0).inputs.sizes(), data.get(some, 0).targets.sizes());
}

}  // namespace
}  // namespace convoy::launch
