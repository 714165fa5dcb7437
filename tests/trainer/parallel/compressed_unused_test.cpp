// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "comm/local/local.h"
#include "comm/values.h"
#include "trainer/parallel/data_parallel.h"

namespace convoy::trainer {
namespace {

/// The mean over ranks of what is owed for `layer`.
torch::Tensor mean_residual(comm::Communicator& communicator, DataParallel& parallel,
                            const std::string& layer) {
  const auto state = parallel.reducer().state();
  const auto sums = comm::all_reduce_values(communicator, state.arrays.at("residual/" + layer));
  return torch::tensor(sums) / communicator.size();
}

TEST(CompressedUnused, LayersThatNoRankReachesKeepWhatTheyOwe) {
  comm::local::run(2, [](comm::Communicator& communicator) {
    const auto always = torch::ones({16, 16}).requires_grad_();
    const auto sometimes = torch::ones({16, 16}).requires_grad_();
    compress::CompressionConfig config;
    config.family = "top_k";
    config.level = 0.1;
    config.min_numel = 1;
    DataParallel parallel(communicator, {{"always", always}, {"sometimes", sometimes}}, {},
                          {.find_unused = true}, compress::make_reducer(config, 1));
    auto applied = torch::zeros({16, 16});
    auto wanted = torch::zeros({16, 16});
    for (int step = 0; step < 6; ++step) {
      // Of the ranks; no random numbers, whose generator thread ranks would share.
      const auto weights = torch::sin(torch::arange(512) * (0.7 + step)).view({2, 16, 16});
      auto loss = always.sum();
      const bool reached = step % 2 == 0;
      if (reached) loss = loss + (sometimes * weights[communicator.rank()]).sum();
      parallel.begin_step(1);
      always.mutable_grad().reset();
      sometimes.mutable_grad().reset();
      parallel.backward(loss);
      parallel.end_step();
      if (!reached) continue;
      wanted += weights.mean(0);
      applied += sometimes.grad();
    }
    const auto owed = mean_residual(communicator, parallel, "sometimes").view({16, 16});
    EXPECT_TRUE(torch::allclose(applied + owed, wanted, 1e-5, 1e-5))
        << (applied + owed - wanted).abs().max();
  });
}

}  // namespace
}  // namespace convoy::trainer
