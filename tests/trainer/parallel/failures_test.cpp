// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/errors.h"
#include "base/timeline.h"
#include "comm/local/local.h"
#include "compress/reduce/make_reducer.h"
#include "compress/reduce/node_reducer.h"
#include "compress/reduce/reducer.h"
#include "tests/trainer/parallel/small_net.h"

namespace convoy::tests {
namespace {

using trainer::DataParallel;

/// An identity whose backward fails.
struct Broken : torch::autograd::Function<Broken> {
  static torch::Tensor forward(torch::autograd::AutogradContext*, const torch::Tensor& x) {
    return x.clone();
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*,
                                                 torch::autograd::variable_list) {
    throw std::runtime_error("broken on purpose");
  }
};

/// `second` is ready before backward breaks on the way to `first`.
struct HalfBroken : torch::nn::Module {
  torch::Tensor first = register_parameter("first", torch::ones({4}));
  torch::Tensor second = register_parameter("second", torch::ones({4}));

  torch::Tensor loss(bool broken) {
    return ((broken ? Broken::apply(first * 2) : first * 2) * second).sum();
  }
};

TEST(Failures, InBackwardEndTheObjectAndTellThePeers) {
  run_ranks(3, [](comm::Communicator& communicator) {
    HalfBroken net;
    auto parallel = std::make_unique<DataParallel>(communicator, net,
                                                   trainer::DataParallelOptions{.bucket_bytes = 1});
    parallel->begin_step(1);
    if (communicator.rank() == 1) {
      EXPECT_THROW(parallel->backward(net.loss(true)), std::runtime_error);
      EXPECT_THROW(parallel->backward(net.loss(false)), std::runtime_error);
      EXPECT_THROW(parallel->begin_step(1), std::runtime_error);
      EXPECT_THROW(parallel->begin_step(1, 3), std::runtime_error);
    } else {
      EXPECT_THROW(parallel->backward(net.loss(false)), CommError);
      EXPECT_THROW(parallel->begin_step(1), CommError);
    }
    parallel.reset();
    net.loss(false).backward();  // the hooks are gone
  });
}

TEST(Failures, InAnAccumulatingBackwardCanBeRepeated) {
  run_ranks(2, [](comm::Communicator& communicator) {
    HalfBroken net;
    DataParallel parallel(communicator, net);
    parallel.begin_step(1);
    {
      const auto no_sync = parallel.no_sync();
      EXPECT_THROW(parallel.backward(net.loss(true)), std::runtime_error);
    }
    clear_gradients(net);
    parallel.backward(net.loss(false));
    EXPECT_TRUE(net.first.grad().equal(torch::full({4}, 2.0F)));
  });
}

TEST(Failures, OfAPeerInMidStepAreCommErrors) {
  std::atomic<int> told = 0;
  EXPECT_THROW(run_ranks(3,
                         [&](comm::Communicator& communicator) {
                           SmallNet net;
                           DataParallel parallel(communicator, net);
                           parallel.begin_step(2);
                           if (communicator.rank() == 2) throw std::domain_error("dies");
                           try {
                             parallel.backward(net.loss(make_batch(1, 2)));
                           } catch (const CommError&) {
                             ++told;
                           }
                         }),
               std::domain_error);
  EXPECT_EQ(told, 2);
}

/// Throws at its second bucket.
class BrokenReducer final : public compress::Reducer {
 public:
  void begin_step(std::int64_t) override {}
  compress::Reduction start(const compress::Bucket&, int) override {
    if (++calls_ == 2) throw std::out_of_range("reducer is broken");
    co_return;
  }
  void end_step() override {}

 private:
  int calls_ = 0;
};

TEST(Failures, OfTheReducerComeOutOfBackward) {
  run_ranks(1, [](comm::Communicator& communicator) {
    SmallNet net;
    DataParallel parallel(communicator, net, {.bucket_bytes = 1},
                          [](comm::Communicator&) { return std::make_unique<BrokenReducer>(); });
    parallel.begin_step(2);
    EXPECT_THROW(parallel.backward(net.loss(make_batch(1, 2))), std::out_of_range);
    EXPECT_THROW(parallel.begin_step(2), std::out_of_range);
  });
}

/// Averages, and fails on one rank at the fourth bucket, when others are under way.
class FailsLate final : public compress::Reducer {
 public:
  FailsLate(comm::Communicator& communicator, std::unique_ptr<compress::Reducer> inner)
      : fails_(communicator.rank() == 1), inner_(std::move(inner)) {}
  void begin_step(std::int64_t step) override { inner_->begin_step(step); }
  compress::Reduction start(const compress::Bucket& bucket, int priority) override {
    if (++calls_ == 4 && fails_) throw std::out_of_range("reducer is broken");
    return inner_->start(bucket, priority);
  }
  void end_step() override { inner_->end_step(); }
  void watch(Timeline* timeline) override { inner_->watch(timeline); }
  void drop() override { inner_->drop(); }

 private:
  bool fails_;
  std::unique_ptr<compress::Reducer> inner_;
  int calls_ = 0;
};

/// One bucket for each parameter, and one rank whose reducer fails with several of them under way:
/// the others learn of it at once, and not when their patience (60 s) has ended.
/// @param make  of the communicator of the gradients, all ranks, and of this rank's host, if any.
void expect_all_told(int ranks, bool shared_memory,
                     const std::function<std::unique_ptr<compress::Reducer>(
                         comm::Communicator& gradients, comm::Communicator& host)>& make) {
  const auto begin = std::chrono::steady_clock::now();
  std::atomic<int> told = 0;
  const auto body = [&](comm::Communicator& communicator) {
    SmallNet net;
    Timeline timeline;
    const auto host = communicator.split(communicator.rank() / 2, communicator.rank());
    DataParallel parallel(communicator, net, {.bucket_bytes = 1},
                          [&](comm::Communicator& own) { return make(own, *host); });
    parallel.reducer().watch(&timeline);
    parallel.begin_step(2);
    try {
      parallel.backward(net.loss(make_batch(1, 2)));
    } catch (const CommError&) {
      ++told;
    } catch (const std::out_of_range&) {
      // The others must not depend on when this rank goes.
      for (int i = 0; i < 1500 && told < ranks - 1; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      throw;
    }
  };
  EXPECT_THROW(
      comm::local::run(ranks, body,
                       {.timeout = std::chrono::seconds(60), .shared_memory = shared_memory}),
      std::out_of_range);
  EXPECT_EQ(told, ranks - 1);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(12));
}

compress::CompressionConfig config_of_small_layers(const std::string& family) {
  compress::CompressionConfig config{.family = family, .policy = "uniform"};
  config.warmup_steps = 0;
  config.min_numel = 1;
  return config;
}

TEST(Failures, OfOneRankWithSeveralBucketsUnderWayEndAllAtOnce) {
  for (const std::string family : {"none", "half", "power_sgd"}) {
    const auto make = compress::make_reducer(config_of_small_layers(family), 1);
    for (const bool shared_memory : {true, false}) {
      SCOPED_TRACE(family);
      expect_all_told(3, shared_memory, [&](comm::Communicator& gradients, comm::Communicator&) {
        return std::make_unique<FailsLate>(gradients, make(gradients));
      });
    }
  }
}

// Of four ranks on two hosts the first one of the second host fails; those of the other host and
// the one that waits for it alone hear of it through different communicators.
TEST(Failures, OfTheRankThatSpeaksForItsHostEndAllAtOnce) {
  for (const std::string family : {"none", "half", "power_sgd"}) {
    const auto make = compress::make_reducer(config_of_small_layers(family), 1);
    const auto between = [&](comm::Communicator& leaders) -> std::unique_ptr<compress::Reducer> {
      return std::make_unique<FailsLate>(leaders, make(leaders));
    };
    const auto compresses = [](const compress::Layer&) { return true; };
    for (const bool shared_memory : {true, false}) {
      SCOPED_TRACE(family);
      expect_all_told(
          4, shared_memory, [&](comm::Communicator& gradients, comm::Communicator& host) {
            return std::make_unique<compress::NodeReducer>(
                gradients, host,
                compress::NodeReducer::Options{.between = between, .compresses = compresses});
          });
    }
  }
}

TEST(Failures, OfTheCallerAreContractErrors) {
  run_ranks(1, [](comm::Communicator& communicator) {
    SmallNet net;
    EXPECT_THROW(DataParallel(communicator, net, {.bucket_bytes = 0}), ContractError);
    DataParallel parallel(communicator, net);
    const auto loss = [&] { return net.loss(make_batch(1, 2)); };
    EXPECT_THROW(parallel.backward(loss()), ContractError);  // outside a step
    EXPECT_THROW(parallel.backward_empty(), ContractError);
    EXPECT_THROW(parallel.end_step(), ContractError);
    EXPECT_THROW(parallel.begin_step(-1), ContractError);
    EXPECT_THROW(parallel.begin_step(3, 2), ContractError);
    EXPECT_THROW(parallel.begin_step(1, 1, 1), ContractError);
    parallel.begin_step(2);
    EXPECT_THROW(parallel.backward(loss(), 0), ContractError);
    EXPECT_THROW(parallel.backward(loss(), 3), ContractError);
    parallel.backward(loss());
    EXPECT_THROW(parallel.backward(loss()), ContractError);  // already averaged
  });
}

}  // namespace
}  // namespace convoy::tests
