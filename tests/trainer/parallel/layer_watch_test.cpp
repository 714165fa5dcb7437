// SPDX-License-Identifier: Apache-2.0
// DataParallel::watch(): what a timeline is told of layers.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/trainer/parallel/small_net.h"

namespace convoy::tests {
namespace {

using trainer::DataParallel;
using trainer::DataParallelOptions;
using trainer::Overlap;
using namespace std::chrono_literals;

/// Sleeps in forward and in backward.
struct Nap : torch::autograd::Function<Nap> {
  static torch::Tensor forward(torch::autograd::AutogradContext*, const torch::Tensor& x) {
    std::this_thread::sleep_for(30ms);
    return x.clone();
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*,
                                                 torch::autograd::variable_list gradients) {
    std::this_thread::sleep_for(50ms);
    return gradients;
  }
};

/// Between its two layers it naps.
struct NappingNet : torch::nn::Module {
  torch::Tensor loss() {
    return second->forward(Nap::apply(first->forward(torch::ones({2, 3})))).sum();
  }
  torch::nn::Linear first = register_module("first", torch::nn::Linear(3, 4));
  torch::nn::Linear second = register_module("second", torch::nn::Linear(4, 2));
};

using Times = std::map<std::pair<Phase, std::string>, std::chrono::nanoseconds>;

Times times_of(Timeline& timeline) {
  Times times;
  for (const auto& span : timeline.take()) {
    EXPECT_LE(span.begin, span.end);
    times[{span.phase, span.what}] += span.end - span.begin;
  }
  return times;
}

TEST(LayerWatch, GivesTimeToTheLayerThatTakesIt) {
  run_ranks(1, [](comm::Communicator& communicator) {
    NappingNet net;
    DataParallel parallel(communicator, net);
    Timeline timeline;
    parallel.watch(&timeline);
    parallel.begin_step(2);
    const auto loss = net.loss();
    parallel.end_forward();
    std::this_thread::sleep_for(20ms);  // nobody's
    parallel.backward(loss);
    parallel.end_step();
    auto times = times_of(timeline);
    const auto forward = times[{Phase::kForward, "first.weight"}];
    EXPECT_GE(forward, 30ms) << "until the next layer begins";
    EXPECT_LT((times[{Phase::kForward, "second.weight"}]), forward);
    EXPECT_FALSE(times.contains({Phase::kForward, "first.bias"})) << "the module is one";
    // What comes before a gradient is ready.
    const auto first =
        times[{Phase::kBackward, "first.weight"}] + times[{Phase::kBackward, "first.bias"}];
    const auto second =
        times[{Phase::kBackward, "second.weight"}] + times[{Phase::kBackward, "second.bias"}];
    EXPECT_GE(first, 50ms);
    EXPECT_LT(second, first);
  });
}

TEST(LayerWatch, SeesEveryMicroBatchAndNothingOnceItIsOff) {
  run_ranks(2, [](comm::Communicator& communicator) {
    NappingNet net;
    DataParallel parallel(communicator, net);
    Timeline timeline;
    parallel.watch(&timeline);
    const auto step = [&] {
      parallel.begin_step(4);
      {
        const auto no_sync = parallel.no_sync();
        parallel.backward(net.loss(), 2);
      }
      parallel.backward(net.loss(), 2);
      parallel.end_step();
    };
    step();
    auto times = times_of(timeline);
    EXPECT_GE((times[{Phase::kForward, "first.weight"}]), 60ms);
    EXPECT_TRUE(times.contains({Phase::kWire, "second.bias"}) ||
                times.contains({Phase::kWire, "second.weight"}));
    EXPECT_TRUE(times.contains({Phase::kExposed, ""}));
    (void)net.loss();  // outside steps: an evaluation
    EXPECT_TRUE(timeline.take().empty());
    parallel.watch(nullptr);
    step();
    EXPECT_TRUE(timeline.take().empty());
  });
}

TEST(LayerWatch, NamesWhatForwardWaitsFor) {
  run_ranks(2, [](comm::Communicator& communicator) {
    NappingNet net;
    StepEach optimizer(net);
    DataParallelOptions options;
    options.overlap = Overlap::kNextForward;
    options.update = [&](std::size_t i) { optimizer.update(i); };
    DataParallel parallel(communicator, net, options);
    Timeline timeline;
    parallel.watch(&timeline);
    for (int step = 0; step < 2; ++step) {
      parallel.begin_step(2);
      parallel.backward(net.loss());
      parallel.end_step();
    }
    parallel.drain();
    auto times = times_of(timeline);
    for (const char* layer : {"first.weight", "first.bias", "second.weight", "second.bias"}) {
      EXPECT_TRUE(times.contains({Phase::kExposed, layer})) << layer;
      EXPECT_TRUE(times.contains({Phase::kOptimizer, layer})) << layer;
    }
  });
}

TEST(LayerWatch, SeesScriptedModules) {
  run_ranks(1, [](comm::Communicator& communicator) {
    torch::jit::Module module("m");
    module.register_parameter("early", torch::ones({3, 3}).requires_grad_(), false);
    module.register_parameter("late", torch::ones({3, 3}).requires_grad_(), false);
    module.define(R"(
      def forward(self, x):
        return torch.matmul(torch.matmul(x, self.early), self.late).sum()
    )");
    DataParallel parallel(communicator, module);
    Timeline timeline;
    parallel.watch(&timeline);
    parallel.begin_step(1);
    parallel.backward(module.forward({torch::ones({2, 3})}).toTensor());
    parallel.end_step();
    const auto times = times_of(timeline);
    for (const Phase phase : {Phase::kForward, Phase::kBackward}) {
      EXPECT_TRUE(times.contains({phase, "early"}) && times.contains({phase, "late"}));
    }
  });
}

}  // namespace
}  // namespace convoy::tests
