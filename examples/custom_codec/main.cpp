// SPDX-License-Identifier: Apache-2.0
// A codec of your own on all ranks, with error feedback:
//   cmake -B build -DCMAKE_PREFIX_PATH=/where/convoy/is && cmake --build build
//   mpirun -n 2 build/custom_codec
#include <torch/torch.h>

#include <cstdio>
#include <memory>

#include "comm/mpi/mpi.h"
#include "sign_codec.h"
#include "trainer/parallel/data_parallel.h"

namespace compress = convoy::compress;
namespace trainer = convoy::trainer;

int main() {
  convoy::comm::mpi::Environment environment;
  try {
    at::set_num_threads(1);
    const auto world = environment.world();
    torch::manual_seed(1);
    torch::nn::Sequential net(torch::nn::Linear(32, 64), torch::nn::Tanh(),
                              torch::nn::Linear(64, 1));
    const auto teacher = torch::randn({32, 1});
    torch::manual_seed(100 + static_cast<std::uint64_t>(world->rank()));  // every rank its own data

    const compress::CompressionConfig config{.level = 1, .min_numel = 256};
    trainer::DataParallel parallel(
        *world, *net, {},
        compress::make_reducer(std::make_shared<SignCodec>(), config, /*seed=*/1));
    torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(0.05).momentum(0.9));
    double loss_value = 0.0;
    for (int step = 0; step < 400; ++step) {
      const auto inputs = torch::randn({32, 32});
      optimizer.zero_grad();
      parallel.begin_step(32);
      const auto loss = torch::mse_loss(net->forward(inputs), torch::tanh(inputs.mm(teacher)));
      parallel.backward(loss);
      optimizer.step();
      parallel.end_step();
      loss_value = loss.item<double>();
    }
    const auto traffic = parallel.reducer().traffic();
    if (world->rank() == 0) {
      std::printf("%d ranks, loss %.4f\n", world->size(), loss_value);
      std::printf("%.1fx fewer bytes\n", static_cast<double>(traffic.dense_bytes) /
                                             static_cast<double>(traffic.sent_bytes));
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rank %d: %s\n", environment.rank(), error.what());
    environment.abort(1);
  }
}
