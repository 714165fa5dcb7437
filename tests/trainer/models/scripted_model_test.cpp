// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/scripted_model.h"

#include <ATen/record_function.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/script.h>

#include <cmath>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/file.h"
#include "tests/trainer/models/model_kit.h"
#include "trainer/models/batch_statistics.h"
#include "trainer/torch_compat.h"

namespace convoy::trainer {
namespace {

using testing_kit::image_info;
using testing_kit::loss_of;
using testing_kit::message_of;
using testing_kit::random_inputs;
using testing_kit::temporary;

const DataInfo kFashion = image_info(1, 28, 10);

/// A Python that has PyTorch; empty when there is none. Debian's comes first: another one on PATH
/// may lack it.
std::string python_with_torch() {
  for (const std::string python : {"/usr/bin/python3", "python3"}) {
    if (std::system((python + " -c 'import torch' 2>/dev/null").c_str()) == 0) return python;
  }
  return "";
}

/// Runs the example script once for each kind of model.
class ScriptedModels : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    python_ = python_with_torch();
    if (python_.empty()) return;
    run("model.pt", "");
    run("dropout.pt", " --dropout 0.3");
  }
  void SetUp() override {
    if (!python_.empty()) return;
    std::cerr << "\n*** NOT TESTED: no Python with PyTorch; install python3-torch to test models "
                 "scripted in Python ***\n\n";
    GTEST_SKIP() << "python3-torch is missing";
  }
  static void run(const std::string& name, const std::string& options) {
    const auto command = python_ +
                         " " CONVOY_SOURCE_DIR "/examples/torchscript/make_scripted_model.py " +
                         temporary(name) + options;
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  static std::unique_ptr<Model> load(const std::string& name) {
    return make_model({.torchscript = temporary(name)}, kFashion, 1);
  }

 private:
  static inline std::string python_;
};

/// Counts the operations of this thread while it lives.
class OperationCount {
 public:
  OperationCount() : handle_(at::addThreadLocalCallback(at::RecordFunctionCallback(&count))) {
    count_ = 0;
  }
  ~OperationCount() { at::removeCallback(handle_); }
  OperationCount(const OperationCount&) = delete;
  OperationCount& operator=(const OperationCount&) = delete;
  static std::int64_t now() { return count_; }

 private:
  static std::unique_ptr<at::ObserverContext> count(const at::RecordFunction&) {
    ++count_;
    return nullptr;
  }
  static inline thread_local std::int64_t count_ = 0;
  at::CallbackHandle handle_;
};

/// Notes at which operation a gradient was ready.
class ReadyHook : public torch::autograd::FunctionPostHook {
 public:
  explicit ReadyHook(std::vector<std::int64_t>& ready) : ready_(ready) {}
  torch::autograd::variable_list operator()(const torch::autograd::variable_list& outputs,
                                            const torch::autograd::variable_list&) override {
    ready_.push_back(OperationCount::now());
    return outputs;
  }

 private:
  std::vector<std::int64_t>& ready_;
};

std::vector<torch::Tensor> gradients(Model& model, const torch::Tensor& inputs) {
  std::vector<torch::Tensor> result;
  for (auto& item : model.parameters()) item.tensor.mutable_grad() = torch::Tensor();
  loss_of(model, kFashion, inputs).backward();
  for (const auto& item : model.parameters()) result.push_back(item.tensor.grad().clone());
  return result;
}

bool same_bits(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(),
                    [](const auto& x, const auto& y) { return torch::equal(x, y); });
}

TEST_F(ScriptedModels, HavePythonsNamesAndShapes) {
  const auto model = load("model.pt");
  const auto parameters = model->parameters();
  ASSERT_EQ(parameters.size(), 8U);
  EXPECT_EQ(parameters.front().name, "conv1.weight");
  EXPECT_EQ(parameters.front().tensor.sizes(), at::IntArrayRef({16, 1, 3, 3}));
  EXPECT_EQ(model->forward(random_inputs(kFashion, 3)).sizes(), at::IntArrayRef({3, 10}));
}

/// Gradients become ready while backward goes on, in every run: a profiling executor would change
/// its ways after the first. No make_model(): what that runs first, without gradients, would be all
/// that such an executor learns.
void expect_spread_hooks(const std::string& path) {
  ScriptedModel model(path);
  const auto inputs = random_inputs(kFashion, 8);
  std::vector<std::int64_t> ready;
  std::vector<AutogradNode> accumulators;
  for (const auto& item : model.parameters()) {
    accumulators.push_back(torch::autograd::impl::grad_accumulator(item.tensor));
    accumulators.back()->add_post_hook(std::make_unique<ReadyHook>(ready));
  }
  for (int run = 0; run < 4; ++run) {
    const auto loss = loss_of(model, kFashion, inputs);
    ready.clear();
    const OperationCount count;
    loss.backward();
    const auto total = static_cast<double>(OperationCount::now());
    ASSERT_EQ(ready.size(), accumulators.size());
    EXPECT_LT(static_cast<double>(ready.front()), 0.3 * total) << "run " << run;
    EXPECT_LT(static_cast<double>(ready[ready.size() / 2 - 1]), 0.8 * total) << "run " << run;
  }
}

TEST_F(ScriptedModels, SpreadTheirHooksOverBackward) { expect_spread_hooks(temporary("model.pt")); }

TEST_F(ScriptedModels, RepeatTheirGradientsBitForBit) {
  const auto model = load("model.pt");
  const auto inputs = random_inputs(kFashion, 8);
  const auto first = gradients(*model, inputs);
  for (int run = 0; run < 4; ++run) EXPECT_TRUE(same_bits(first, gradients(*model, inputs)));
}

void descend(Model& model, const std::vector<torch::Tensor>& gradient) {
  const torch::NoGradGuard no_grad;
  const auto parameters = model.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    parameters[i].tensor.detach().sub_(gradient[i], 0.1);
  }
}

TEST_F(ScriptedModels, LearnAndGoOnBitForBitFromAFile) {
  const auto model = load("model.pt");
  const auto inputs = random_inputs(kFashion, 16);
  const double before = loss_of(*model, kFashion, inputs).item<double>();
  for (int step = 0; step < 8; ++step) descend(*model, gradients(*model, inputs));
  EXPECT_LT(loss_of(*model, kFashion, inputs).item<double>(), before - 0.05);

  model->save(temporary("trained.pt"));
  const auto again = load("trained.pt");
  EXPECT_TRUE(same_bits(gradients(*model, inputs), gradients(*again, inputs)));
}

TEST_F(ScriptedModels, SayWhetherTheyDrawRandomNumbers) {
  EXPECT_FALSE(load("model.pt")->draws_from_shared_generator());
  EXPECT_TRUE(load("dropout.pt")->draws_from_shared_generator());
}

TEST_F(ScriptedModels, RepeatDropoutWithItsKey) {
  const auto model = load("dropout.pt");
  const auto inputs = random_inputs(kFashion, 4);
  const auto forward = [&](std::uint64_t key) {
    model->seed_dropout(key);
    return model->forward(inputs);
  };
  const auto first = forward(1);
  EXPECT_TRUE(torch::equal(first, forward(1)));
  EXPECT_FALSE(torch::equal(first, forward(2)));
  model->train(false);
  EXPECT_TRUE(torch::equal(forward(1), forward(2)));
}

TEST_F(ScriptedModels, AreRefusedWhereTheyDoNotFitTheData) {
  const auto file = temporary("model.pt");
  const auto make = [&](const DataInfo& info) {
    return message_of([&] { (void)make_model({.torchscript = file}, info, 1); });
  };
  EXPECT_EQ(make(image_info(1, 28, 100)),
            "the model makes [1, 10] of inputs [1, 1, 28, 28] where the data needs [1, 100]");
  const auto message = make(image_info(3, 32, 10));
  EXPECT_TRUE(message.starts_with("model.torchscript: " + file + " cannot run on the data: Given"))
      << message;
}

TEST_F(ScriptedModels, CannotShareTheirBatchNormStatistics) {
  class None : public BatchStatistics {
    void sum(std::span<double>) override {}
  } none;
  const auto model = load("model.pt");
  EXPECT_NO_THROW(model->set_batch_statistics(nullptr));
  EXPECT_NE(message_of([&] { model->set_batch_statistics(&none); }), "");
}

TEST(ScriptedModel, RefusesFilesThatAreNone) {
  EXPECT_EQ(message_of([] { ScriptedModel model("/nowhere/model.pt"); }),
            "model.torchscript: there is no file /nowhere/model.pt");
  const auto garbage = temporary("garbage.pt");
  write_file_atomic(garbage, std::string("this is no archive, but a text of some length"));
  const auto message = message_of([&] { check_model({.torchscript = garbage}); });
  EXPECT_TRUE(message.starts_with("model.torchscript: cannot load " + garbage + ": ")) << message;

  const auto weights = temporary("weights.pt");
  make_model({.name = "mlp"}, kFashion, 1)->save(weights);
  EXPECT_NE(message_of([&] { check_model({.torchscript = weights}); }), "");
}

/// Compiles TorchScript without Python.
std::string script(const std::string& name, const std::string& source, bool with_parameter) {
  torch::jit::Module module("m");
  if (with_parameter)
    module.register_parameter("weight", torch::ones({10}).requires_grad_(), false);
  module.register_attribute("training", torch::jit::BoolType::get(), true);
  module.define(source);
  module.save(temporary(name));
  return temporary(name);
}

TEST(ScriptedModel, RefusesModulesThatCannotBeTrained) {
  const auto frozen = script("frozen.pt", "def forward(self, x):\n  return x\n", false);
  EXPECT_EQ(message_of([&] { check_model({.torchscript = frozen}); }),
            "model.torchscript: " + frozen + " has no parameters to train (is it frozen?)");
  const auto pair =
      script("pair.pt", "def forward(self, x):\n  return (x.mean() * self.weight, x)\n", true);
  EXPECT_EQ(message_of([&] { (void)make_model({.torchscript = pair}, kFashion, 1); }),
            "model.torchscript: " + pair + " returns Tuple where a Tensor is needed");
  const auto other = script("other.pt", "def run(self, x):\n  return x * self.weight\n", true);
  EXPECT_EQ(message_of([&] { check_model({.torchscript = other}); }),
            "model.torchscript: " + other + " has no method forward");
}

/// Only operations that the profiling executor can differentiate as one graph.
std::string script_chain() {
  torch::jit::Module module("chain");
  std::ostringstream source;
  source << "def forward(self, x):\n  x = x.flatten(1)\n";
  for (int layer = 0; layer < 8; ++layer) {
    const std::string name{'w', static_cast<char>('0' + layer)};
    const std::int64_t in = layer == 0 ? 784 : 32;
    const std::int64_t out = layer == 7 ? 10 : 32;
    auto weight = torch::randn({in, out}) * std::sqrt(2.0 / static_cast<double>(in));
    module.register_parameter(name, weight.requires_grad_(), false);
    source << "  x = torch.matmul(torch.relu(x), self." << name << ")\n";
  }
  source << "  return x\n";
  module.register_attribute("training", torch::jit::BoolType::get(), true);
  module.define(source.str());
  module.save(temporary("chain.pt"));
  return temporary("chain.pt");
}

TEST(ScriptedModel, OfManyDifferentiableOperationsSpreadsItsHooks) {
  torch::manual_seed(1);
  expect_spread_hooks(script_chain());
}

TEST(ScriptedModel, FindsRandomOperationsInBranches) {
  const auto path = script("noisy.pt", R"(
def forward(self, x):
  if self.training:
    x = x + torch.randn_like(x)
  return x * self.weight
)",
                           true);
  EXPECT_TRUE(ScriptedModel(path).draws_from_shared_generator());
}

}  // namespace
}  // namespace convoy::trainer
