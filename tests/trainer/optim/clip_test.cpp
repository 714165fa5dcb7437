// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/errors.h"
#include "trainer/optim/optimizer.h"

namespace convoy::trainer {
namespace {

NamedTensor with_gradient(const std::string& name, const torch::Tensor& gradient) {
  auto tensor = torch::zeros_like(gradient, torch::MemoryFormat::Contiguous).requires_grad_();
  tensor.mutable_grad() = gradient;
  return {name, tensor};
}

TEST(ClipGradients, ScalesToTheLimitTogether) {
  const std::vector<NamedTensor> parameters{
      with_gradient("a", torch::tensor({3.0F, 0.0F})),
      with_gradient("b", torch::full({1, 1}, 4.0F)),
      {"unused", torch::zeros({5}).requires_grad_()},
  };
  EXPECT_DOUBLE_EQ(clip_gradients(parameters, 2.5), 5.0);
  EXPECT_FLOAT_EQ(parameters[0].tensor.grad()[0].item<float>(), 1.5F);
  EXPECT_FLOAT_EQ(parameters[1].tensor.grad().item<float>(), 2.0F);
  EXPECT_FALSE(parameters[2].tensor.grad().defined());
}

TEST(ClipGradients, LeavesSmallGradientsAsTheyAre) {
  const auto gradient = torch::tensor({0.3F, -0.4F});
  const auto before = gradient.clone();
  EXPECT_NEAR(clip_gradients({with_gradient("a", gradient)}, 0.6), 0.5, 1e-7);
  EXPECT_TRUE(torch::equal(gradient, before));
}

TEST(ClipGradients, SumsInDoublePrecisionWhateverTheLengthAndLayout) {
  // In float32 the large square swallows all small ones, 5e-7 of the norm.
  auto gradient = torch::full({10'007}, 1e-3F);
  gradient[0] = 1e4F;
  const double expected = std::sqrt(1e8 + 10'006 * std::pow(static_cast<double>(1e-3F), 2));
  EXPECT_NEAR(clip_gradients({with_gradient("a", gradient)}, 1e9), expected, 1e-9);
  const auto transposed = torch::arange(12, torch::kFloat).view({3, 4}).t();
  EXPECT_DOUBLE_EQ(clip_gradients({with_gradient("a", transposed)}, 1e9), std::sqrt(506.0));
  const auto half = torch::full({9}, 2.0F).to(torch::kBFloat16);
  EXPECT_DOUBLE_EQ(clip_gradients({with_gradient("a", half)}, 1e9), 6.0);
}

TEST(ClipGradients, ReportsANormThatIsNotFiniteAndChangesNothing) {
  const auto good = torch::tensor({100.0F});
  const auto bad = torch::tensor({std::numeric_limits<float>::quiet_NaN()});
  EXPECT_TRUE(std::isnan(clip_gradients({with_gradient("a", good), with_gradient("b", bad)}, 1.0)));
  EXPECT_EQ(good.item<float>(), 100.0F);
  const auto infinite = torch::tensor({std::numeric_limits<float>::infinity()});
  EXPECT_TRUE(
      std::isinf(clip_gradients({with_gradient("a", good), with_gradient("b", infinite)}, 1.0)));
  EXPECT_EQ(good.item<float>(), 100.0F);
}

TEST(ClipGradients, DoesNotDependOnTheNumberOfThreads) {
  torch::manual_seed(3);
  const auto gradient = torch::randn({100'003});
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const double alone = clip_gradients({with_gradient("a", gradient)}, 1e9);
  at::set_num_threads(4);
  const double together = clip_gradients({with_gradient("a", gradient)}, 1e9);
  at::set_num_threads(threads);
  EXPECT_EQ(alone, together);
}

TEST(ClipGradients, WantsAPositiveLimit) {
  EXPECT_THROW((void)clip_gradients({}, 0.0), ContractError);
}

}  // namespace
}  // namespace convoy::trainer
