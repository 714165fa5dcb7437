// SPDX-License-Identifier: Apache-2.0
// Your own network on your own data, trained on all ranks:
//   cmake -B build -DCMAKE_PREFIX_PATH=/where/convoy/is && cmake --build build
//   mpirun -n 2 build/custom_model
#include <torch/torch.h>

#include <cmath>
#include <cstdio>
#include <numbers>
#include <vector>

#include "base/random.h"
#include "comm/mpi/mpi.h"
#include "trainer/data/dataset.h"
#include "trainer/data/sampler.h"
#include "trainer/parallel/data_parallel.h"

namespace trainer = convoy::trainer;

/// Two spirals in the plane, one for each class.
class Spirals final : public trainer::Dataset {
 public:
  explicit Spirals(std::int64_t samples) : inputs_(torch::empty({samples, 2})) {
    convoy::Random random({7});
    auto points = inputs_.accessor<float, 2>();
    for (std::int64_t i = 0; i < samples; ++i) {
      const double turn = 3.0 * std::numbers::pi * std::sqrt(random.uniform());
      const double sign = i % 2 == 0 ? 1.0 : -1.0;
      points[i][0] = static_cast<float>(sign * turn * std::cos(turn) / 10 + 0.02 * random.normal());
      points[i][1] = static_cast<float>(sign * turn * std::sin(turn) / 10 + 0.02 * random.normal());
    }
  }
  std::int64_t size() const override { return inputs_.size(0); }
  const trainer::DataInfo& info() const override { return info_; }
  trainer::Batch get(std::span<const std::int64_t> indices, std::uint64_t) const override {
    const auto rows = torch::tensor(std::vector<std::int64_t>(indices.begin(), indices.end()));
    return {inputs_.index_select(0, rows), rows.remainder(2)};
  }

 private:
  torch::Tensor inputs_;
  trainer::DataInfo info_{trainer::Task::kClassify, {2}, 2};
};

struct Net : torch::nn::Module {
  torch::nn::Sequential layers{torch::nn::Linear(2, 64), torch::nn::Tanh(),
                               torch::nn::Linear(64, 64), torch::nn::Tanh(),
                               torch::nn::Linear(64, 2)};
  Net() { register_module("layers", layers); }
  torch::Tensor forward(const torch::Tensor& x) { return layers->forward(x); }
};

int main() {
  convoy::comm::mpi::Environment environment;
  try {
    at::set_num_threads(1);
    auto world = environment.world();
    Net net;
    trainer::DataParallel parallel(*world, net);
    torch::optim::Adam optimizer(net.parameters(), 3e-3);
    const Spirals data(4000);
    trainer::Sampler sampler(data.size(), world->rank(), world->size(), 50, /*seed=*/1);

    double loss_value = 0.0;
    for (std::int64_t epoch = 0; epoch < 30; ++epoch) {
      for (std::int64_t step = 0; step < sampler.batches_per_epoch(); ++step) {
        const auto share = sampler.share(epoch, step);
        optimizer.zero_grad();
        parallel.begin_step(static_cast<std::int64_t>(share.indices.size()), share.global_samples);
        if (share.indices.empty()) {
          parallel.backward_empty();
        } else {
          const auto batch = data.get(share.indices, 0);
          const auto loss = torch::cross_entropy_loss(net.forward(batch.inputs), batch.targets);
          parallel.backward(loss);
          loss_value = loss.item<double>();
        }
        optimizer.step();
        parallel.end_step();
      }
    }
    if (world->rank() == 0) std::printf("%d ranks, loss %.4f\n", world->size(), loss_value);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rank %d: %s\n", environment.rank(), error.what());
    environment.abort(1);
  }
}
