// SPDX-License-Identifier: Apache-2.0
// Buckets, their order and overlap: what they are, and that results do not depend on them.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "compress/reduce/dense_reducer.h"
#include "tests/trainer/parallel/scenarios.h"
#include "tests/trainer/parallel/small_net.h"

namespace convoy::tests {
namespace {

using Layout = std::vector<std::vector<std::string>>;
using trainer::DataParallel;
using trainer::DataParallelOptions;
using trainer::Overlap;

std::uint64_t hash_with(const DataParallelOptions& options, std::size_t chunk_bytes) {
  std::atomic<std::uint64_t> hash = 0;
  run_ranks(3,
            [&](comm::Communicator& communicator) {
              const auto own = train_and_hash(communicator, options);
              if (communicator.rank() == 0) hash = own;
            },
            {.timeout = std::chrono::seconds(20), .chunk_bytes = chunk_bytes});
  return hash;
}

TEST(Buckets, ChangeNoBitOfTheResult) {
  const auto expected = hash_with({}, 256 << 10);
  for (const std::size_t bucket_bytes : {1, 1 << 10, 4 << 20}) {
    for (const auto overlap : {Overlap::kBackward, Overlap::kOff, Overlap::kNextForward}) {
      for (const std::size_t chunk_bytes : {64, 1 << 10}) {
        EXPECT_EQ(hash_with({.bucket_bytes = bucket_bytes, .overlap = overlap}, chunk_bytes),
                  expected)
            << bucket_bytes << " bytes, overlap " << static_cast<int>(overlap) << ", chunks of "
            << chunk_bytes;
      }
    }
  }
}

TEST(Buckets, KeepWhatIsNeverCompressedApart) {
  run_ranks(2, [](comm::Communicator& communicator) {
    std::vector<trainer::NamedTensor> parameters;
    for (const auto* name : {"first", "second", "head"}) {
      parameters.push_back({std::string(name) + ".weight", torch::ones({16, 16}).requires_grad_()});
      parameters.push_back({std::string(name) + ".bias", torch::ones({16}).requires_grad_()});
    }
    compress::CompressionConfig config;
    config.family = "quantize";
    config.min_numel = 1;
    config.exclude = {"head.*"};
    const DataParallel parallel(communicator, parameters, {}, {.bucket_bytes = 2 * 16 * 16 * 4},
                                compress::make_reducer(config, 1));
    EXPECT_EQ(parallel.bucket_layout(),
              (Layout{{"second.weight", "first.weight"},
                      {"head.bias", "head.weight", "second.bias", "first.bias"}}));
  });
}

/// Used in the order of registration on rank 0 and in the other order elsewhere.
struct TwoWays : torch::nn::Module {
  torch::Tensor first = register_parameter("first", torch::ones({4}));
  torch::Tensor second = register_parameter("second", torch::ones({4}));

  torch::Tensor loss(bool first_is_last) {
    return first_is_last ? ((second * second).exp() * first).sum()
                         : ((first * first).exp() * second).sum();
  }
};

TEST(Buckets, FollowTheReadyOrderOfRank0AfterItsFirstStep) {
  run_ranks(2, [](comm::Communicator& communicator) {
    TwoWays net;
    DataParallel parallel(communicator, net, {.bucket_bytes = 1});
    EXPECT_EQ(parallel.bucket_layout(), (Layout{{"second"}, {"first"}}));
    const auto step = [&](bool rank_0_has_samples) {
      const bool idle = communicator.rank() == 0 && !rank_0_has_samples;
      parallel.begin_step(idle ? 0 : 1);
      idle ? parallel.backward_empty() : parallel.backward(net.loss(communicator.rank() == 0));
      parallel.end_step();
    };
    step(false);  // rank 0 has seen no order: all wait for its first
    parallel.begin_step(1);
    EXPECT_EQ(parallel.bucket_layout(), (Layout{{"second"}, {"first"}}));
    step(true);
    parallel.begin_step(1);
    EXPECT_EQ(parallel.bucket_layout(), (Layout{{"first"}, {"second"}}));
    step(true);
    parallel.begin_step(1);
    EXPECT_EQ(parallel.bucket_layout(), (Layout{{"first"}, {"second"}}));
  });
}

TEST(Buckets, KeepGradientsThatAreZeroedInPlaceOrFreed) {
  run_ranks(2, [](comm::Communicator& communicator) {
    std::vector<std::uint64_t> hashes;
    for (const bool free : {false, true}) {
      TwoWays net;
      DataParallel parallel(communicator, net);
      for (int step = 0; step < 3; ++step) {
        for (auto& parameter : net.parameters()) {
          if (free) parameter.mutable_grad().reset();
          if (parameter.grad().defined()) parameter.mutable_grad().detach_().zero_();
        }
        parallel.begin_step(1);
        parallel.backward(net.loss(communicator.rank() == 0));
        parallel.end_step();
      }
      // d/dfirst is exp(1) on rank 0 and 2 exp(1) on rank 1.
      EXPECT_NEAR(net.first.grad()[0].item<double>(), 1.5 * std::exp(1.0), 1e-5) << free;
    }
  });
}

/// Averages, and takes its time over it.
class SlowReducer final : public compress::Reducer {
 public:
  SlowReducer(comm::Communicator& communicator, std::chrono::milliseconds delay)
      : dense_(communicator), delay_(delay) {}
  void begin_step(std::int64_t step) override { dense_.begin_step(step); }
  compress::Reduction start(const compress::Bucket& bucket, int priority) override {
    std::this_thread::sleep_for(delay_);
    return dense_.start(bucket, priority);
  }
  void end_step() override { dense_.end_step(); }

 private:
  compress::DenseReducer dense_;
  std::chrono::milliseconds delay_;
};

/// An identity whose backward sleeps.
struct Pause : torch::autograd::Function<Pause> {
  static torch::Tensor forward(torch::autograd::AutogradContext*, const torch::Tensor& x) {
    return x.clone();
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*,
                                                 torch::autograd::variable_list gradients) {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    return gradients;
  }
};

TEST(Buckets, AreAveragedWhileBackwardGoesOn) {
  constexpr int kLayers = 8;
  const auto seconds_of_a_step = [](Overlap overlap) {
    std::atomic<double> seconds = 0.0;
    run_ranks(2, [&](comm::Communicator& communicator) {
      std::vector<trainer::NamedTensor> parameters;
      for (int i = 0; i < kLayers; ++i) {
        parameters.push_back({std::to_string(i), torch::ones({4}).requires_grad_()});
      }
      DataParallel parallel(communicator, parameters, {}, {.bucket_bytes = 1, .overlap = overlap},
                            [](comm::Communicator& own) {
                              return std::make_unique<SlowReducer>(own,
                                                                   std::chrono::milliseconds(30));
                            });
      auto loss = torch::ones({4});
      for (const auto& parameter : parameters) loss = Pause::apply(loss * parameter.tensor);
      parallel.begin_step(1, 2);
      const auto begin = std::chrono::steady_clock::now();
      parallel.backward(loss.sum());
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
      parallel.end_step();
      const auto& times = parallel.times();
      EXPECT_NEAR(static_cast<double>(times.backward + times.exposed) * 1e-9, taken.count(), 0.02);
      if (communicator.rank() == 0) seconds = taken.count();
    });
    return seconds.load();
  };
  // Both halves take 8 x 30 ms: 0.27 s one beside the other, 0.48 s one after the other.
  EXPECT_GE(seconds_of_a_step(Overlap::kOff), 0.47);
  EXPECT_LE(seconds_of_a_step(Overlap::kBackward), 0.40);
}

}  // namespace
}  // namespace convoy::tests
