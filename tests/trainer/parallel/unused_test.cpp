// SPDX-License-Identifier: Apache-2.0
// Parameters that backward does not reach.
#include <gtest/gtest.h>

#include "base/errors.h"
#include "tests/trainer/parallel/small_net.h"

namespace convoy::tests {
namespace {

using trainer::DataParallel;

/// Rank 0 takes one branch, all others the other; nobody takes the third.
struct Branches : torch::nn::Module {
  torch::Tensor left = register_parameter("left", torch::ones({3}));
  torch::Tensor right = register_parameter("right", torch::ones({3}));
  torch::Tensor nobody = register_parameter("nobody", torch::ones({3}));
  torch::Tensor both = register_parameter("both", torch::ones({3}));

  torch::Tensor loss(int rank) { return ((rank == 0 ? left : right) * both).sum(); }
};

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const ContractError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(FindUnused, AveragesWhatAnyRankHasReached) {
  run_ranks(3, [](comm::Communicator& communicator) {
    Branches net;
    DataParallel parallel(communicator, net, {.find_unused = true});
    for (int step = 0; step < 3; ++step) {
      clear_gradients(net);
      parallel.begin_step(1);
      parallel.backward(net.loss(communicator.rank()));
      parallel.end_step();
      EXPECT_TRUE(torch::allclose(net.left.grad(), torch::full({3}, 1.0 / 3)));
      EXPECT_TRUE(torch::allclose(net.right.grad(), torch::full({3}, 2.0 / 3)));
      EXPECT_TRUE(torch::allclose(net.both.grad(), torch::ones({3})));
      EXPECT_FALSE(net.nobody.grad().defined());
    }
  });
}

TEST(FindUnused, KeepsTheGradientOfWhatNobodyReached) {
  run_ranks(3, [](comm::Communicator& communicator) {
    Branches net;
    DataParallel parallel(communicator, net, {.find_unused = true});
    // Twice, because the buckets of the first step are not those of later ones.
    for (int step = 0; step < 2; ++step) {
      clear_gradients(net);
      parallel.begin_step(1);
      parallel.backward(net.loss(communicator.rank()) + net.nobody.sum());
      parallel.end_step();
    }
    net.nobody.mutable_grad().fill_(communicator.rank());
    const auto before = net.nobody.grad().clone();
    for (int step = 0; step < 3; ++step) {
      parallel.begin_step(1);
      parallel.backward(net.loss(communicator.rank()));
      parallel.end_step();
      EXPECT_TRUE(net.nobody.grad().equal(before)) << step;
    }
  });
}

TEST(FindUnused, CountsWhatAnEarlierMicroBatchReached) {
  for (const bool find_unused : {true, false}) {
    run_ranks(2, [&](comm::Communicator& communicator) {
      Branches net;
      DataParallel parallel(communicator, net, {.find_unused = find_unused});
      parallel.begin_step(2);
      {
        const auto no_sync = parallel.no_sync();
        parallel.backward(net.loss(0) + net.nobody.sum(), 1);
      }
      parallel.backward(net.loss(1), 1);
      EXPECT_TRUE(torch::allclose(net.left.grad(), torch::full({3}, 0.5)));
      EXPECT_TRUE(torch::allclose(net.nobody.grad(), torch::full({3}, 0.5)));
    });
  }
}

TEST(FindUnused, OffIsAnErrorThatNamesTheParametersAndHangsNobody) {
  run_ranks(2, [](comm::Communicator& communicator) {
    Branches net;
    DataParallel parallel(communicator, net);
    parallel.begin_step(1);
    parallel.backward((net.left + net.right + net.nobody + net.both).sum());
    parallel.end_step();
    clear_gradients(net);
    parallel.begin_step(1);
    if (communicator.rank() == 0) {
      const auto message = message_of([&] { parallel.backward(net.loss(0)); });
      EXPECT_NE(message.find("right, nobody"), std::string::npos) << message;
    } else {
      parallel.backward((net.left + net.right + net.nobody + net.both).sum());
      EXPECT_TRUE(torch::allclose(net.right.grad(), torch::full({3}, 0.5)));
    }
    parallel.end_step();
  });
}

}  // namespace
}  // namespace convoy::tests
