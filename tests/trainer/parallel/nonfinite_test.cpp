// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "comm/local/local.h"
#include "trainer/parallel/data_parallel.h"

namespace convoy::trainer {
namespace {

/// Two matrices; the loss is finite, and d loss / d second is not finite where `poison` says so.
struct Net {
  torch::Tensor first = torch::ones({8, 8}).requires_grad_();
  torch::Tensor second = torch::ones({8, 8}).requires_grad_();

  [[nodiscard]] std::vector<NamedTensor> parameters() const {
    return {{"first", first}, {"second", second}};
  }
  [[nodiscard]] torch::Tensor loss(bool poison) const {
    const auto smooth = (first * second).mean();
    return poison ? smooth + (second - 1).abs().sqrt().sum() : smooth;
  }
};

DataParallel::ReducerFactory quantized() {
  compress::CompressionConfig config;
  config.family = "quantize";
  config.min_numel = 1;
  config.group = 64;
  return compress::make_reducer(config, 1);
}

TEST(NonFinite, GradientOfAFiniteLossNamesRankAndLayer) {
  for (const bool compressed : {false, true}) {
    comm::local::run(3, [&](comm::Communicator& communicator) {
      const Net net;
      DataParallel parallel(communicator, net.parameters(), {}, {},
                            compressed ? quantized() : nullptr);
      parallel.begin_step(1);
      parallel.backward(net.loss(false));
      parallel.end_step();
      EXPECT_FALSE(parallel.nonfinite().has_value());
      const auto before = parallel.reducer().state().arrays;

      const auto loss = net.loss(communicator.rank() == 1);
      EXPECT_TRUE(std::isfinite(loss.item<double>()));
      parallel.begin_step(1);
      parallel.backward(loss);
      parallel.end_step();
      ASSERT_TRUE(parallel.nonfinite().has_value());
      EXPECT_EQ(parallel.nonfinite()->rank, 1);
      EXPECT_EQ(parallel.nonfinite()->layer, "second");
      EXPECT_TRUE(parallel.reducer().state().arrays == before) << "residuals must be as they were";
    });
  }
}

TEST(NonFinite, SumOfFiniteGradientsIsFoundToo) {
  for (const bool compressed : {false, true}) {
    comm::local::run(2, [&](comm::Communicator& communicator) {
      const Net net;
      DataParallel parallel(communicator, net.parameters(), {}, {},
                            compressed ? quantized() : nullptr);
      parallel.begin_step(1);
      parallel.backward((net.first * 1e-3 + net.second * 3e38).sum());  // 6e38 on two ranks
      parallel.end_step();
      ASSERT_TRUE(parallel.nonfinite().has_value());
      EXPECT_EQ(parallel.nonfinite()->rank, NonFinite::kSum);
      EXPECT_EQ(parallel.nonfinite()->layer, "second");
    });
  }
}

TEST(NonFinite, GradientsThatOnlyTheirScaleMakesInfiniteLeaveResidualsAlone) {
  for (const bool compressed : {false, true}) {
    comm::local::run(2, [&](comm::Communicator& communicator) {
      const Net net;
      DataParallel parallel(communicator, net.parameters(), {}, {},
                            compressed ? quantized() : nullptr);
      const auto step = [&](double scale) {
        for (const auto& parameter : net.parameters()) parameter.tensor.mutable_grad().reset();
        parallel.set_loss_scale(scale);
        parallel.begin_step(1);
        parallel.backward((net.first * 1e-3 + net.second * 1e33).sum());
        parallel.end_step();
        return !parallel.nonfinite().has_value();
      };
      EXPECT_TRUE(step(1.0));
      const auto before = parallel.reducer().state().arrays;
      EXPECT_FALSE(step(16777216.0));
      EXPECT_TRUE(parallel.reducer().state().arrays == before) << "residuals must be as they were";
      EXPECT_TRUE(step(4096.0));
      if (!compressed) {
        EXPECT_EQ(net.second.grad()[0][0].item<float>(), 1e33F);
      }
    });
  }
}

}  // namespace
}  // namespace convoy::trainer
