// SPDX-License-Identifier: Apache-2.0
#include "tests/trainer/parallel/settings.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <utility>

#include "base/hash.h"
#include "base/random.h"
#include "comm/local/local.h"
#include "comm/tcp/tcp.h"
#include "compress/reduce/make_reducer.h"
#include "tests/comm/faulty_transport.h"
#include "tests/trainer/parallel/small_net.h"
#include "trainer/parallel/data_parallel.h"
#include "trainer/parallel/replicas.h"

namespace convoy::tests {
namespace {

using std::chrono::microseconds;
using trainer::Overlap;

constexpr std::int64_t kSteps = 7;
constexpr std::uint64_t kLongestPause = 1500;  // microseconds
constexpr std::uint64_t kLongestDelay = 3000;  // microseconds

/// Large enough for several rounds of a sum through shared memory, and for several buckets of
/// compressed layers and of others.
struct DeepNet : torch::nn::Module {
  DeepNet() { initialise(*this, 3); }

  torch::Tensor loss(const Batch& batch) {
    auto x = wide->forward(convolution->forward(batch.images).relu().flatten(1)).relu();
    x = second->forward(first->forward(x).relu()).relu();
    return torch::nn::functional::cross_entropy(classes->forward(x), batch.labels);
  }

  torch::nn::Conv2d convolution = register_module(
      "convolution", torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 4, 3).padding(1)));
  torch::nn::Linear wide = register_module("wide", torch::nn::Linear(4 * 36, 240));
  torch::nn::Linear first = register_module("first", torch::nn::Linear(240, 12));
  torch::nn::Linear second = register_module("second", torch::nn::Linear(12, 12));
  torch::nn::Linear classes = register_module("classes", torch::nn::Linear(12, kClasses));
};

/// A world, and one whose parts are the hosts.
using Body = std::function<void(comm::Communicator& world, comm::Communicator& hosts)>;

std::vector<Faults> delays(int ranks, std::uint64_t seed) {
  std::vector<Faults> faults(static_cast<std::size_t>(ranks));
  Random random{seed, 1};
  for (Faults& of_rank : faults) {
    of_rank.longest_delay = microseconds(1 + random.below(kLongestDelay));
    of_rank.seed = random();
  }
  return faults;
}

void run_on(int ranks, const Setting& setting, const Body& body) {
  const comm::CommunicatorOptions options{.timeout = std::chrono::seconds(60),
                                          .chunk_bytes = setting.chunk_bytes,
                                          .shared_memory = setting.link != Link::kMessages};
  warm_up_libtorch();
  const auto alone = [&](comm::Communicator& world) { body(world, world); };
  const auto beside_sockets = [&](comm::Communicator& bootstrap) {
    body(*comm::tcp::make(bootstrap), bootstrap);
  };
  switch (setting.link) {
    case Link::kSharedMemory:
    case Link::kMessages:
      return comm::local::run(ranks, alone, options);
    case Link::kTcp:
      return comm::local::run(ranks, beside_sockets, options);
    case Link::kDelayed:
      return run_faulty(delays(ranks, setting.seed), alone, options);
  }
}

compress::CompressionConfig config_of(const std::string& family) {
  compress::CompressionConfig config;
  config.family = family;
  config.policy = family == "half" ? "uniform" : "lgreco";
  config.warmup_steps = 1;
  config.adapt_every = 2;
  config.window = 2;
  config.plan_lag = 1;
  config.min_numel = 48;
  config.group = 64;
  config.rounding = "stochastic";
  config.two_hop_ranks = 4;
  if (family == "power_sgd") {
    config.level = 2;
    config.candidates = {1, 2, 4};
  }
  return config;
}

int host_of(const comm::Communicator& world) { return (2 * world.rank() + 1) / world.size(); }

/// One rank of a training.
class Trainee {
 public:
  Trainee(const Training& training, const Setting& setting, comm::Communicator& world,
          comm::Communicator& hosts)
      : setting_(setting),
        world_(world),
        pauses_{setting.seed, 2, static_cast<std::uint64_t>(world.rank())},
        optimizer_(net_) {
    const auto config = config_of(training.family);
    auto reducer = compress::make_reducer(config, 5);
    if (training.hierarchical) {
      host_ = hosts.split(host_of(world), world.rank());
      reducer = compress::make_node_reducer(config, 5, *host_);
    }
    trainer::DataParallelOptions options;
    options.bucket_bytes = 200;
    options.overlap = setting.overlap;
    options.update = [this](std::size_t parameter) { optimizer_.update(parameter); };
    parallel_ = std::make_unique<trainer::DataParallel>(world, net_, options, reducer);
  }

  Outcome train() {
    for (std::int64_t step = 0; step < kSteps; ++step) train_step(step);
    parallel_->drain();
    outcome_.parameters_hash = trainer::parameters_hash(parallel_->parameters());
    outcome_.buckets = parallel_->bucket_layout().size();
    for (const auto& plan : parallel_->reducer().take_plans()) {
      outcome_.plans.push_back(std::to_string(plan.step) + ": " + plan.hash);
    }
    for (const auto& [name, values] : parallel_->reducer().state().arrays) {
      outcome_.state[name] = hash64(std::as_bytes(std::span(values)));
    }
    return std::move(outcome_);
  }

 private:
  [[nodiscard]] std::int64_t samples_of(int rank, std::int64_t step) const {
    const bool is_empty = step == 3 && rank == world_.size() - 1;
    return is_empty ? 0 : 2 + (rank + step) % 3;
  }

  void pause() {
    if (setting_.seed == 0) return;
    std::this_thread::sleep_for(microseconds(pauses_.below(kLongestPause)));
  }

  // Ranks are told how many samples all have, so that none waits for another before it begins.
  void train_step(std::int64_t step) {
    std::int64_t total = 0;
    for (int rank = 0; rank < world_.size(); ++rank) total += samples_of(rank, step);
    const std::int64_t samples = samples_of(world_.rank(), step);
    pause();
    parallel_->begin_step(samples, total);
    if (samples > 0) {
      const auto loss = net_.loss(make_batch(step * 10 + world_.rank(), samples));
      outcome_.losses.push_back(loss.item<float>());
      pause();
      parallel_->backward(loss);
    } else {
      parallel_->backward_empty();
    }
    if (setting_.overlap != Overlap::kNextForward) optimizer_.update_all();
    parallel_->end_step();
  }

  Setting setting_;
  comm::Communicator& world_;
  Random pauses_;
  DeepNet net_;
  StepEach optimizer_;
  std::unique_ptr<comm::Communicator> host_;
  std::unique_ptr<trainer::DataParallel> parallel_;  // last: uses all above
  Outcome outcome_;
};

}  // namespace

std::vector<Outcome> train(const Training& training, const Setting& setting) {
  std::vector<Outcome> outcomes(static_cast<std::size_t>(training.ranks));
  run_on(training.ranks, setting, [&](comm::Communicator& world, comm::Communicator& hosts) {
    at::set_num_threads(1);
    try {
      outcomes[static_cast<std::size_t>(world.rank())] =
          Trainee(training, setting, world, hosts).train();
    } catch (const std::exception& error) {
      ADD_FAILURE() << "rank " << world.rank() << ": " << error.what();
    }
  });
  return outcomes;
}

}  // namespace convoy::tests
