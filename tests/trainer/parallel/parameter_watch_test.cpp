// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/parameter_watch.h"

#include <gtest/gtest.h>
#include <torch/script.h>

#include <thread>
#include <vector>

#include "base/errors.h"

namespace convoy::trainer::internal {
namespace {

using Seen = std::vector<std::size_t>;

struct Watched {
  torch::Tensor weight = torch::ones({3, 3}).requires_grad_();
  torch::Tensor bias = torch::ones({3}).requires_grad_();
  torch::Tensor input = torch::ones({2, 3});
  Seen seen;
  ParameterWatch watch{{weight, bias}, [this](std::size_t index) { seen.push_back(index); }};

  /// What is seen of `use`, each parameter once.
  template <typename Use>
  Seen seen_in(const Use& use) {
    seen.clear();
    use();
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    return seen;
  }
};

TEST(ParameterWatch, SeesOperationsListsAndViews) {
  Watched w;
  const torch::Tensor view_made_before = w.weight.t();
  w.watch.start();
  EXPECT_EQ(w.seen_in([&] { torch::linear(w.input, w.weight, w.bias); }), (Seen{0, 1}));
  EXPECT_EQ(w.seen_in([&] { w.input + w.bias; }), Seen{1});
  EXPECT_EQ(w.seen_in([&] { torch::cat({w.input, w.weight}); }), Seen{0});
  EXPECT_EQ(w.seen_in([&] { torch::matmul(w.input, view_made_before); }), Seen{0});
  EXPECT_EQ(w.seen_in([&] { w.weight.detach(); }), Seen{0});
  EXPECT_EQ(w.seen_in([&] { w.input * 2; }), Seen{});
}

TEST(ParameterWatch, SeesBeforeTheOperationRuns) {
  torch::Tensor weight = torch::ones({2});
  ParameterWatch watch({weight}, [&](std::size_t) { weight.data_ptr<float>()[0] = 5.0F; });
  watch.start();
  EXPECT_EQ((weight * 2)[0].item<float>(), 10.0F);
}

TEST(ParameterWatch, SeesScriptedModules) {
  torch::jit::Module module("m");
  module.register_parameter("weight", torch::ones({3, 3}), false);
  module.register_parameter("other", torch::ones({3}), false);
  module.define(R"(
    def forward(self, x):
      return torch.matmul(x, self.weight)
  )");
  Watched w;
  Seen seen;
  ParameterWatch watch({module.attr("weight").toTensor(), module.attr("other").toTensor()},
                       [&](std::size_t index) { seen.push_back(index); });
  watch.start();
  for (int run = 0; run < 4; ++run) {
    seen.clear();
    module.forward({w.input});
    ASSERT_FALSE(seen.empty()) << run;
    EXPECT_EQ(seen.front(), 0U) << run;
    EXPECT_EQ(std::count(seen.begin(), seen.end(), 1U), 0) << run;
  }
}

TEST(ParameterWatch, SeesItsOwnThreadWhileStarted) {
  Watched w;
  Watched second;
  EXPECT_EQ(w.seen_in([&] { w.weight * 2; }), Seen{});
  w.watch.start();
  w.watch.start();
  second.watch.start();
  std::jthread([&] { EXPECT_EQ(w.seen_in([&] { w.weight * 2; }), Seen{}); }).join();
  EXPECT_EQ(w.seen_in([&] { w.weight * 2; }), Seen{0});
  EXPECT_EQ(second.seen_in([&] { second.bias * 2; }), Seen{1});
  w.watch.stop();
  EXPECT_EQ(w.seen_in([&] { w.weight * 2; }), Seen{});
  EXPECT_EQ(second.seen_in([&] { second.bias * 2; }), Seen{1});
  second.watch.stop();
  second.watch.stop();
  EXPECT_EQ(second.seen_in([&] { second.bias * 2; }), Seen{});
}

TEST(ParameterWatch, RefusesAnotherThreadWhileStarted) {
  Watched w;
  w.watch.start();
  std::jthread([&] {
    EXPECT_THROW(w.watch.start(), ContractError);
    EXPECT_THROW(w.watch.stop(), ContractError);
  }).join();
  EXPECT_EQ(w.seen_in([&] { w.weight * 2; }), Seen{0});
  w.watch.stop();
  std::jthread([&] {
    w.watch.start();
    EXPECT_EQ(w.seen_in([&] { w.weight * 2; }), Seen{0});
    w.watch.stop();
  }).join();
}

}  // namespace
}  // namespace convoy::trainer::internal
