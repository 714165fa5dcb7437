// SPDX-License-Identifier: Apache-2.0
// What the ranks agree on beside gradients: buffers, BatchNorm's sums, whole replicas.
#include <gtest/gtest.h>

#include "base/errors.h"
#include "tests/trainer/parallel/small_net.h"
#include "trainer/parallel/communicator_statistics.h"
#include "trainer/parallel/replicas.h"

namespace convoy::tests {
namespace {

using trainer::BufferPolicy;
using trainer::DataParallel;
using trainer::NamedTensor;

struct Statistics : torch::nn::Module {
  torch::Tensor weight = register_parameter("weight", torch::ones({2}));
  torch::Tensor mean = register_buffer("mean", torch::zeros({2}));
  torch::Tensor wide = register_buffer("wide", torch::zeros({1}, torch::kFloat64));
  torch::Tensor batches = register_buffer("batches", torch::zeros({}, torch::kInt64));
};

/// One step in which rank r trains on samples[r] and sets its buffers to 10 (r + 1).
void step(DataParallel& parallel, Statistics& net, int rank,
          const std::vector<std::int64_t>& samples, bool tell_total) {
  const auto own = samples[static_cast<std::size_t>(rank)];
  const auto busy = std::ranges::find_if(samples, [](auto count) { return count > 0; });
  if (tell_total) {
    parallel.begin_step(own, std::reduce(samples.begin(), samples.end()),
                        static_cast<int>(busy - samples.begin()));
  } else {
    parallel.begin_step(own);
  }
  if (own > 0) {
    net.mean.fill_(10 * (rank + 1));
    net.wide.fill_(10 * (rank + 1));
    net.batches += 1;
    parallel.backward(net.weight.sum());
  } else {
    parallel.backward_empty();
  }
  parallel.end_step();
}

TEST(Buffers, AreBroadcastFromTheFirstRankWithSamples) {
  run_ranks(3, [](comm::Communicator& communicator) {
    Statistics net;
    DataParallel parallel(communicator, net);
    step(parallel, net, communicator.rank(), {1, 2, 3}, false);
    EXPECT_TRUE(net.mean.equal(torch::full({2}, 10.0F)));
    for (const bool tell_total : {false, true}) {
      step(parallel, net, communicator.rank(), {0, 4, 4}, tell_total);
      EXPECT_TRUE(net.mean.equal(torch::full({2}, 20.0F)));
    }
    EXPECT_EQ(net.wide.item<double>(), 20.0);
    EXPECT_EQ(net.batches.item<std::int64_t>(), 3);
  });
}

TEST(Buffers, AreAveragedOverSamples) {
  run_ranks(3, [](comm::Communicator& communicator) {
    Statistics net;
    DataParallel parallel(communicator, net, {.buffers = BufferPolicy::kAverage});
    step(parallel, net, communicator.rank(), {0, 1, 3}, false);
    EXPECT_TRUE(net.mean.equal(torch::full({2}, 27.5F)));
    EXPECT_EQ(net.wide.item<double>(), 27.5);
    EXPECT_EQ(net.batches.item<std::int64_t>(), 1);
  });
}

TEST(Buffers, AndGradientsCountAsBytesSent) {
  run_ranks(2, [](comm::Communicator& communicator) {
    SmallNet net;
    DataParallel parallel(communicator, net);
    EXPECT_EQ(parallel.bytes_sent(), 0U);
    parallel.begin_step(1);
    parallel.backward(net.loss(make_batch(1, 1)));
    parallel.end_step();
    std::int64_t numel = 0;
    for (const auto& parameter : net.parameters()) numel += parameter.numel();
    // 2 (N-1)/N of the gradients; halves of an odd number differ by one value.
    EXPECT_NEAR(static_cast<double>(parallel.bytes_sent()), 4.0 * static_cast<double>(numel), 8);
  });
}

TEST(Statistics, AreSummedOverRanks) {
  for (const int ranks : {1, 2, 3}) {
    run_ranks(ranks, [](comm::Communicator& communicator) {
      trainer::CommunicatorStatistics statistics(communicator);
      for (int call = 1; call <= 3; ++call) {
        std::vector<double> values(static_cast<std::size_t>(call), communicator.rank() + 1.0);
        statistics.sum(values);
        const double ranks_now = communicator.size();
        EXPECT_EQ(values, std::vector<double>(static_cast<std::size_t>(call),
                                              ranks_now * (ranks_now + 1) / 2));
      }
    });
  }
}

TEST(Replicas, ThatDifferAreNamed) {
  run_ranks(4, [](comm::Communicator& communicator) {
    SmallNet net;
    const auto parameters = trainer::named_parameters(net);
    EXPECT_NO_THROW(trainer::verify_replicas(communicator, parameters));
    const torch::NoGradGuard no_grad;
    if (communicator.rank() == 2) net.hidden->bias[3] += 1e-6;
    if (communicator.rank() == 3) net.convolution->bias[0] = -1;
    try {
      trainer::verify_replicas(communicator, parameters);
      ADD_FAILURE() << "the planted difference was not found";
    } catch (const ContractError& error) {
      EXPECT_NE(std::string(error.what()).find("rank 2's hidden.bias"), std::string::npos)
          << error.what();
    }
  });
}

TEST(Replicas, HashDependsOnNamesTypesShapesBitsAndOrder) {
  const auto a = NamedTensor{"a", torch::arange(6, torch::kFloat32)};
  const auto b = NamedTensor{"b", torch::zeros({2})};
  const auto hash = trainer::parameters_hash({a, b});
  EXPECT_EQ(trainer::parameters_hash({{"a", a.tensor.clone()}, b}), hash);
  EXPECT_EQ(trainer::parameters_hash({{"a", torch::arange(12, torch::kFloat32).slice(0, 0, 6)}, b}),
            hash);
  EXPECT_NE(trainer::parameters_hash({b, a}), hash);
  EXPECT_NE(trainer::parameters_hash({{"x", a.tensor}, b}), hash);
  EXPECT_NE(trainer::parameters_hash({{"a", a.tensor.reshape({2, 3})}, b}), hash);
  EXPECT_NE(trainer::parameters_hash({{"a", a.tensor.view(torch::kInt32)}, b}), hash);
  EXPECT_NE(trainer::parameters_hash({a, {"b", -b.tensor}}), hash);  // minus zero
}

}  // namespace
}  // namespace convoy::tests
