// SPDX-License-Identifier: Apache-2.0
// Kinds of modules and tensors: tied, frozen, scripted, of other types.
#include <gtest/gtest.h>

#include "base/errors.h"
#include "tests/trainer/parallel/small_net.h"

namespace convoy::tests {
namespace {

using trainer::DataParallel;
using trainer::NamedTensor;

std::vector<std::string> names(const std::vector<NamedTensor>& tensors) {
  std::vector<std::string> list;
  for (const auto& tensor : tensors) list.push_back(tensor.name);
  return list;
}

/// Two layers with one weight, and one that is frozen.
struct Tied : torch::nn::Module {
  explicit Tied(double value) {
    const auto weight = torch::full({2, 2}, value);
    first = register_parameter("first", weight);
    second = register_parameter("second", first);
    frozen = register_parameter("frozen", torch::full({2}, value), /*requires_grad=*/false);
    counter = register_buffer("counter", torch::zeros({1}, torch::kInt64));
  }
  torch::Tensor first, second, frozen, counter;
};

TEST(Modules, TiedParametersCountOnceAndFrozenOnesAreOnlyBroadcast) {
  run_ranks(2, [](comm::Communicator& communicator) {
    const int rank = communicator.rank();
    Tied net(rank + 1.0);
    DataParallel parallel(communicator, net);
    EXPECT_EQ(names(parallel.parameters()), (std::vector<std::string>{"first", "frozen"}));
    EXPECT_EQ(names(parallel.buffers()), std::vector<std::string>{"counter"});
    EXPECT_EQ(parallel.bucket_layout(), (std::vector<std::vector<std::string>>{{"first"}}));
    EXPECT_TRUE(net.frozen.equal(torch::ones({2})));
    parallel.begin_step(1);
    parallel.backward((net.first * (rank + 1) + net.second * net.frozen).sum());
    parallel.end_step();
    EXPECT_TRUE(torch::allclose(net.first.grad(), torch::full({2, 2}, 2.5)));
    EXPECT_FALSE(net.frozen.grad().defined());
  });
}

TEST(Modules, ScriptedOnesAreTrained) {
  run_ranks(2, [](comm::Communicator& communicator) {
    const auto value = static_cast<float>(communicator.rank() + 1);
    torch::jit::Module net("net");
    net.register_parameter("weight", torch::full({3}, value), /*is_buffer=*/false);
    net.register_buffer("scale", torch::full({3}, value));
    net.define("def forward(self, x):\n    return (self.weight * self.scale * x).sum()\n");
    net.attr("weight").toTensor().requires_grad_();
    DataParallel parallel(communicator, net);
    parallel.begin_step(1);
    parallel.backward(net.forward({torch::full({3}, value)}).toTensor());
    parallel.end_step();
    EXPECT_EQ(names(parallel.parameters()), std::vector<std::string>{"weight"});
    EXPECT_EQ(names(parallel.buffers()), std::vector<std::string>{"scale"});
    EXPECT_TRUE(torch::allclose(net.attr("weight").toTensor().grad(), torch::full({3}, 1.5)));
  });
}

TEST(Modules, GradientsOfOtherTypesAndLayoutsAreAveraged) {
  run_ranks(2, [](comm::Communicator& communicator) {
    const auto value = static_cast<double>(communicator.rank() + 1);
    const auto leaf = [](const torch::Tensor& tensor) { return tensor.clone().requires_grad_(); };
    const auto float64 = leaf(torch::ones({3}, torch::kFloat64));
    const auto bfloat16 = leaf(torch::ones({3}, torch::kBFloat16));
    const auto strided =
        leaf(torch::ones({1, 2, 2, 3}).contiguous(torch::MemoryFormat::ChannelsLast));
    const auto sparse = leaf(torch::ones({4, 2}));
    const auto scalar = leaf(torch::ones({}));
    DataParallel parallel(communicator,
                          {{"float64", float64},
                           {"bfloat16", bfloat16},
                           {"strided", strided},
                           {"sparse", sparse},
                           {"scalar", scalar}},
                          {});
    const auto weights = torch::arange(12).reshape({1, 2, 2, 3});
    for (int step = 0; step < 3; ++step) {
      for (const auto& parameter : parallel.parameters()) parameter.tensor.mutable_grad().reset();
      parallel.begin_step(1);
      const auto row = torch::embedding(sparse, torch::tensor({communicator.rank()}), -1, false,
                                        /*sparse=*/true);
      parallel.backward(float64.sum() * value + bfloat16.sum().to(torch::kFloat64) * value +
                        (strided * weights).sum() * value + row.sum() + scalar * value);
      parallel.end_step();
      EXPECT_TRUE(float64.grad().equal(torch::full({3}, 1.5, torch::kFloat64)));
      EXPECT_TRUE(bfloat16.grad().equal(torch::full({3}, 1.5, torch::kBFloat16)));
      EXPECT_TRUE(torch::allclose(strided.grad(), weights * 1.5F));
      EXPECT_TRUE(sparse.grad().to_dense().equal(
          torch::tensor({{0.5F, 0.5F}, {0.5F, 0.5F}, {0.F, 0.F}, {0.F, 0.F}})));
      EXPECT_EQ(scalar.grad().item<float>(), 1.5F);
    }
  });
}

std::string refusal(comm::Communicator& communicator, std::vector<NamedTensor> parameters,
                    const trainer::DataParallelOptions& options = {}) {
  try {
    const DataParallel parallel(communicator, std::move(parameters), {}, options);
  } catch (const ContractError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Modules, ThatDifferBetweenRanksAreRefusedByName) {
  run_ranks(3, [](comm::Communicator& communicator) {
    const bool odd = communicator.rank() == 2;
    const auto expect = [&](const std::string& message, const std::string& part) {
      EXPECT_NE(message.find(part), std::string::npos) << message;
    };
    const auto same = torch::ones({4});
    expect(refusal(communicator, {{"a", same}, {"b", torch::ones({odd ? 3 : 2, 5})}}),
           "rank 2 has b (Float [3, 5], not trained), rank 0 has b (Float [2, 5], not trained)");
    expect(refusal(communicator, {{odd ? "x" : "a", same}}), "rank 2 has x (");
    expect(refusal(communicator, {{"a", same.to(odd ? torch::kFloat64 : torch::kFloat32)}}),
           "rank 2 has a (Double [4]");
    std::vector<NamedTensor> parameters{{"a", same}};
    if (odd) parameters.push_back({"more", torch::ones({1})});
    expect(refusal(communicator, parameters), "rank 2 has more (Float [1]");
    expect(refusal(communicator, {{"a", same}}, {.find_unused = odd}), "find_unused = true");
  });
}

TEST(Modules, MayNotListATensorTwice) {
  run_ranks(1, [](comm::Communicator& communicator) {
    const auto tensor = torch::ones({1});
    EXPECT_NE(refusal(communicator, {{"a", tensor}, {"b", tensor}}).find("b is listed twice"),
              std::string::npos);
    EXPECT_NE(refusal(communicator, {{"a", tensor}, {"a", torch::ones({1})}}).find("a is listed"),
              std::string::npos);
  });
}

TEST(Modules, OutliveTheirDataParallel) {
  run_ranks(2, [](comm::Communicator& communicator) {
    SmallNet net;
    const auto batch = make_batch(1, 4);
    torch::Tensor graph;
    {
      DataParallel parallel(communicator, net);
      graph = net.loss(batch);  // holds what the hooks hang on
      parallel.begin_step(4);
      parallel.backward(net.loss(batch));
    }
    const auto first = net.classes->bias.grad().clone();
    clear_gradients(net);
    graph.backward();
    EXPECT_TRUE(torch::allclose(net.classes->bias.grad(), first, 1e-5, 1e-7));
  });
}

}  // namespace
}  // namespace convoy::tests
