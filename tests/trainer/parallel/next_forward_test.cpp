// SPDX-License-Identifier: Apache-2.0
// Overlap::kNextForward: when updates are made, and what happens when something goes wrong.
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "base/errors.h"
#include "compress/reduce/dense_reducer.h"
#include "tests/comm/faulty_transport.h"
#include "tests/trainer/parallel/scenarios.h"
#include "tests/trainer/parallel/small_net.h"
#include "trainer/parallel/replicas.h"

namespace convoy::tests {
namespace {

using trainer::DataParallel;
using trainer::DataParallelOptions;
using trainer::Overlap;
using namespace std::chrono_literals;

DataParallelOptions late(std::function<void(std::size_t)> update) {
  DataParallelOptions options;
  options.bucket_bytes = 1;
  options.overlap = Overlap::kNextForward;
  options.update = std::move(update);
  return options;
}

/// y = second * (first * x): `first` is used first and ready last.
struct Chain : torch::nn::Module {
  explicit Chain(std::int64_t numel = 4)
      : first(register_parameter("first", torch::ones({numel}))),
        second(register_parameter("second", torch::ones({numel}))) {}
  torch::Tensor loss() { return (second * (first * 2)).sum(); }

  torch::Tensor first;
  torch::Tensor second;
};

/// Trains a few steps of `loss`, a function of the net; the hash of its parameters.
template <typename Net, typename Loss>
std::uint64_t hash_after(comm::Communicator& communicator, Overlap overlap, const Loss& loss) {
  Net net;
  StepEach optimizer(net);
  auto options = late([&](std::size_t i) { optimizer.update(i); });
  options.overlap = overlap;
  DataParallel parallel(communicator, net, options);
  for (int step = 0; step < 4; ++step) {
    parallel.begin_step(1);
    parallel.backward(loss(net, step));
    if (overlap != Overlap::kNextForward) optimizer.update_all();
    parallel.end_step();
  }
  parallel.drain();
  return trainer::parameters_hash(parallel.parameters());
}

template <typename Net, typename Loss>
void expect_same_bits(int ranks, const Loss& loss) {
  run_ranks(ranks, [&](comm::Communicator& communicator) {
    EXPECT_EQ(hash_after<Net>(communicator, Overlap::kNextForward, loss),
              hash_after<Net>(communicator, Overlap::kBackward, loss));
  });
}

TEST(NextForward, UpdatesEachParameterBeforeItsFirstUseAndNotAllBeforeTheFirst) {
  // 4 MiB a layer at 80 MB/s: 52 ms each, and the one that is needed first leaves last.
  run_faulty(std::vector<Faults>(2, {.link_rate = 80e6}),
             [](comm::Communicator& communicator) {
               Chain net(std::int64_t{1} << 20);
               std::vector<std::size_t> order;
               std::vector<std::uint64_t> sent;
               const DataParallel* self = nullptr;
               auto parallel = std::make_unique<DataParallel>(
                   communicator, net, late([&](std::size_t parameter) {
                     order.push_back(parameter);
                     sent.push_back(self->bytes_sent());
                     net.parameters()[parameter].mutable_grad().zero_();
                   }));
               self = parallel.get();
               parallel->begin_step(1, 2);
               parallel->backward(net.loss());
               EXPECT_TRUE(order.empty());
               parallel->end_step();
               const auto half_used = net.first * 2;
               EXPECT_EQ(order, std::vector<std::size_t>{0});
               const auto loss = (net.second * half_used).sum();
               EXPECT_EQ(order, (std::vector<std::size_t>{0, 1}));
               constexpr std::uint64_t kLayerBytes = std::uint64_t{4} << 20;
               EXPECT_LT(sent[0], kLayerBytes / 4 * 7) << "the other one need not be there";
               EXPECT_GE(sent[1], 2 * kLayerBytes);
               parallel->begin_step(1, 2);
               parallel->backward(loss);
               EXPECT_EQ(order.size(), 2U);
               EXPECT_GT(parallel->times().exposed, 0);
               parallel->drain();
               EXPECT_EQ(order.size(), 4U);
               parallel->drain();
               EXPECT_EQ(order.size(), 4U);
             },
             {.chunk_bytes = 16 << 10});
}

TEST(NextForward, CountsItsWaitsAndUpdates) {
  run_ranks(2, [](comm::Communicator& communicator) {
    Chain net;
    DataParallel parallel(communicator, net,
                          late([](std::size_t) { std::this_thread::sleep_for(20ms); }));
    parallel.begin_step(1);
    parallel.backward(net.loss());
    const auto backward = parallel.times().backward;
    parallel.drain();
    EXPECT_GE(parallel.times().update, 40'000'000);
    EXPECT_EQ(parallel.times().backward, backward);
  });
}

/// One matrix, used twice and through a view that was made when the module was.
struct Tied : torch::nn::Module {
  torch::Tensor weight = register_parameter("weight", torch::eye(4) * 0.5);
  torch::Tensor unused_by_some = register_parameter("sometimes", torch::ones({4}));
  torch::Tensor transposed = weight.detach().t();

  torch::Tensor loss(int step) {
    auto x = torch::matmul(random_tensor(static_cast<std::uint64_t>(step), {4}), transposed);
    x = torch::matmul(torch::matmul(x, weight), weight);
    // At the end, after all other uses, or before them.
    return step % 2 == 0 ? (x * unused_by_some).sum() : (unused_by_some.exp() * x).sum();
  }
};

TEST(NextForward, TiedParametersAndViewsOfThemGiveTheSameBits) {
  expect_same_bits<Tied>(2, [](Tied& net, int step) { return net.loss(step); });
}

TEST(NextForward, ExceptionInForwardLeavesEverythingInPlace) {
  expect_same_bits<Chain>(2, [](Chain& net, int step) {
    if (step == 2) {
      EXPECT_THROW(torch::matmul(net.first, torch::ones({7})), std::exception);
    }
    return net.loss();
  });
}

TEST(NextForward, AccumulationAndEmptyRanksGiveTheSameBits) {
  run_ranks(3, [](comm::Communicator& communicator) {
    std::vector<std::uint64_t> hashes;
    for (const Overlap overlap : {Overlap::kBackward, Overlap::kNextForward}) {
      SmallNet net;
      StepEach optimizer(net);
      auto options = late([&](std::size_t i) { optimizer.update(i); });
      options.overlap = overlap;
      DataParallel parallel(communicator, net, options);
      for (std::uint64_t step = 0; step < 4; ++step) {
        const bool empty = step % 2 == 1 && communicator.rank() == 1;
        const auto batch = make_batch(step * 10 + communicator.rank(), 3);
        parallel.begin_step(empty ? 0 : 3);
        if (empty) {
          parallel.backward_empty();
        } else {
          {
            const auto no_sync = parallel.no_sync();
            parallel.backward(net.loss(batch.slice(0, 1)), 1);
          }
          parallel.backward(net.loss(batch.slice(1, 3)), 2);
        }
        if (overlap != Overlap::kNextForward) optimizer.update_all();
        parallel.end_step();
      }
      parallel.drain();
      hashes.push_back(trainer::parameters_hash(parallel.parameters()));
    }
    EXPECT_EQ(hashes[0], hashes[1]);
  });
}

/// Reads `w` through a pointer: no operation of LibTorch sees it.
struct Hidden : torch::autograd::Function<Hidden> {
  static torch::Tensor forward(torch::autograd::AutogradContext*, const torch::Tensor& x,
                               const torch::Tensor& w) {
    return x.clone().fill_(w.data_ptr<float>()[0]);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*,
                                                 torch::autograd::variable_list gradients) {
    return {gradients[0], gradients[0]};
  }
};

TEST(NextForward, UseThatCannotBeSeenIsRefused) {
  run_ranks(2, [](comm::Communicator& communicator) {
    Chain net;
    DataParallel parallel(communicator, net, late([](std::size_t) {}));
    for (int step = 0; step < 2; ++step) {  // after the first, buckets get their final order
      parallel.begin_step(1);
      parallel.backward(net.loss());
      parallel.end_step();
    }
    parallel.begin_step(1);
    const auto loss = Hidden::apply(net.second, net.first).sum();
    try {
      parallel.backward(loss);
      ADD_FAILURE() << "trained on a parameter of the step before";
    } catch (const ContractError& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with("first: forward used it")) << error.what();
    }
    EXPECT_THROW(parallel.begin_step(1), ContractError);
  });
}

TEST(NextForward, UnreachedParametersAreNamedAfterThePeersAreServed) {
  run_ranks(2, [](comm::Communicator& communicator) {
    Chain net;
    std::atomic<int> updates = 0;
    DataParallel parallel(communicator, net, late([&](std::size_t) { ++updates; }));
    parallel.begin_step(1);
    if (communicator.rank() == 0) {
      EXPECT_THROW(parallel.backward((net.second * 2).sum()), ContractError);
    } else {
      parallel.backward(net.loss());
      parallel.drain();
    }
    EXPECT_EQ(updates, 2);
  });
}

TEST(NextForward, ADeadPeerIsACommErrorOfTheNextCall) {
  std::atomic<int> told = 0;
  EXPECT_THROW(run_ranks(3,
                         [&](comm::Communicator& communicator) {
                           Chain net;
                           DataParallel parallel(communicator, net, late([](std::size_t) {}));
                           for (int step = 0; step < 2; ++step) {
                             parallel.begin_step(1, 3);
                             const auto loss = net.loss();
                             if (step == 1 && communicator.rank() == 2) {
                               throw std::domain_error("dies");
                             }
                             parallel.backward(loss);
                             parallel.end_step();
                           }
                           const auto loss = net.loss();  // waits, and cannot throw
                           parallel.begin_step(1, 3);
                           EXPECT_THROW(parallel.backward(loss), CommError);
                           EXPECT_THROW(parallel.drain(), CommError);
                           EXPECT_THROW(parallel.begin_step(1, 3), CommError);
                           ++told;
                         }),
               std::domain_error);
  EXPECT_EQ(told, 2);
}

TEST(NextForward, AFailedUpdateComesOutOfTheNextCallAndIsTheLast) {
  run_ranks(2, [](comm::Communicator& communicator) {
    Chain net;
    int updates = 0;
    DataParallel parallel(communicator, net, late([&](std::size_t) {
                            ++updates;
                            throw std::out_of_range("no such thing");
                          }));
    parallel.begin_step(1);
    parallel.backward(net.loss());
    parallel.end_step();
    const auto loss = net.loss();
    EXPECT_EQ(updates, 1);
    EXPECT_THROW(parallel.drain(), std::out_of_range);
    EXPECT_THROW(parallel.begin_step(1), std::out_of_range);
    EXPECT_EQ(updates, 1);
  });
}

TEST(NextForward, NonFiniteGradientsAreNamedWhenDrained) {
  run_ranks(2, [](comm::Communicator& communicator) {
    Chain net;
    DataParallel parallel(communicator, net,
                          late([&](std::size_t i) { net.parameters()[i].mutable_grad().zero_(); }));
    parallel.begin_step(1);
    const bool poison = communicator.rank() == 1;
    parallel.backward(net.loss() +
                      (poison ? (net.second - 1).abs().sqrt().sum() : torch::zeros({})));
    parallel.drain();
    ASSERT_TRUE(parallel.nonfinite().has_value());
    EXPECT_EQ(parallel.nonfinite()->rank, 1);
    EXPECT_EQ(parallel.nonfinite()->layer, "second");
    parallel.end_step();
    parallel.begin_step(1);
    parallel.backward(net.loss());
    parallel.drain();
    EXPECT_FALSE(parallel.nonfinite().has_value());
  });
}

TEST(NextForward, WhatItCannotDoIsRefused) {
  run_ranks(1, [](comm::Communicator& communicator) {
    Chain net;
    DataParallelOptions options;
    options.overlap = Overlap::kNextForward;
    EXPECT_THROW(DataParallel(communicator, net, options), ContractError);  // no update
    options.update = [](std::size_t) {};
    options.find_unused = true;
    EXPECT_THROW(DataParallel(communicator, net, options), ContractError);
    options.find_unused = false;
    DataParallel parallel(communicator, net, options);
    EXPECT_THROW(parallel.discard_step(), ContractError);
  });
}

}  // namespace
}  // namespace convoy::tests
