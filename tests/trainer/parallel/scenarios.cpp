// SPDX-License-Identifier: Apache-2.0
#include "tests/trainer/parallel/scenarios.h"

#include <gtest/gtest.h>

#include "tests/trainer/parallel/small_net.h"
#include "trainer/parallel/replicas.h"

namespace convoy::tests {
namespace {

using trainer::DataParallel;
using trainer::NamedTensor;

void expect_gradients_near(const torch::nn::Module& module, const torch::nn::Module& reference) {
  const auto expected = reference.named_parameters();
  for (const auto& item : module.named_parameters()) {
    const auto& gradient = item.value().grad();
    EXPECT_TRUE(gradient.defined()) << item.key();
    if (!gradient.defined()) continue;
    EXPECT_LE(relative_error(gradient, expected[item.key()].grad()), 1e-5) << item.key();
  }
}

/// Gradients of `batch` in float64, in a net that shares nothing with DataParallel.
std::shared_ptr<SmallNet> float64_reference(const Batch& batch) {
  auto reference = std::make_shared<SmallNet>();
  reference->to(torch::kFloat64);
  reference->loss({batch.images.to(torch::kFloat64), batch.labels}).backward();
  return reference;
}

void expect_equal_replicas(comm::Communicator& communicator, const DataParallel& parallel) {
  EXPECT_NO_THROW(trainer::verify_replicas(communicator, parallel.parameters()));
}

}  // namespace

void expect_training_like_one_rank(comm::Communicator& communicator) {
  constexpr std::int64_t kBatch = 8;
  SmallNet net;
  SmallNet alone;
  DataParallel parallel(communicator, net);
  auto optimizer = make_sgd(net);
  auto alone_optimizer = make_sgd(alone);
  for (std::uint64_t step = 0; step < 20; ++step) {
    const auto batch = make_batch(100 + step, kBatch * communicator.size());
    const auto first = kBatch * communicator.rank();
    optimizer.zero_grad();
    parallel.begin_step(kBatch, kBatch * communicator.size());
    parallel.backward(net.loss(batch.slice(first, first + kBatch)));
    optimizer.step();
    parallel.end_step();
    expect_equal_replicas(communicator, parallel);
    alone_optimizer.zero_grad();
    alone.loss(batch).backward();
    alone_optimizer.step();
  }
  const auto expected = alone.named_parameters();
  for (const auto& [name, tensor] : parallel.parameters()) {
    EXPECT_LE(relative_error(tensor, expected[name]), 1e-5) << name;
  }
}

void expect_mean_over_samples(comm::Communicator& communicator) {
  const int ranks = communicator.size();
  // Step 0 is with everybody; in step s > 0 rank s - 1 has no samples.
  for (int step = 0; step <= (ranks > 1 ? ranks : 0); ++step) {
    SmallNet net;
    DataParallel parallel(communicator, net);
    std::int64_t first = 0;
    std::int64_t total = 0;
    std::int64_t own = 0;
    for (int rank = 0; rank < ranks; ++rank) {
      const std::int64_t samples = rank == step - 1 ? 0 : 3 * rank + 2;
      if (rank == communicator.rank()) {
        first = total;
        own = samples;
      }
      total += samples;
    }
    const auto batch = make_batch(200 + static_cast<std::uint64_t>(step), total);
    EXPECT_EQ(parallel.begin_step(own), total);
    if (own == 0) {
      parallel.backward_empty();
    } else {
      parallel.backward(net.loss(batch.slice(first, first + own)));
    }
    parallel.end_step();
    expect_gradients_near(net, *float64_reference(batch));
  }
}

void expect_early_ends_to_be_survived(comm::Communicator& communicator) {
  SmallNet net(static_cast<std::uint64_t>(communicator.rank()));
  DataParallel parallel(communicator, net);
  auto optimizer = make_sgd(net);
  std::int64_t steps = 0;
  for (;; ++steps) {
    const std::int64_t samples = steps <= communicator.rank() ? 4 : 0;
    optimizer.zero_grad();
    const auto total = parallel.begin_step(samples);
    if (total == 0) break;
    EXPECT_EQ(total, 4 * (communicator.size() - steps));
    if (samples > 0) {
      parallel.backward(net.loss(make_batch(steps * 10 + communicator.rank(), samples)));
    } else {
      parallel.backward_empty();
    }
    optimizer.step();
    parallel.end_step();
    expect_equal_replicas(communicator, parallel);
  }
  EXPECT_EQ(steps, communicator.size());
}

void expect_start_from_rank_0(comm::Communicator& communicator) {
  const auto rank = communicator.rank();
  const auto value = [](int of_rank, std::int64_t shift) {
    return torch::arange(shift, shift + 6).reshape({2, 3}) + 10 * of_rank;
  };
  std::vector<NamedTensor> parameters;
  for (const auto type : {torch::kFloat32, torch::kFloat64, torch::kBFloat16}) {
    const auto tensor = value(rank, 1).to(type).requires_grad_();
    parameters.push_back({std::string("p.") + c10::toString(type), tensor});
  }
  // A column of a wider tensor: its neighbours must stay.
  const auto wide = torch::full({2, 3, 2}, 99.0F + static_cast<float>(rank));
  wide.select(2, 0).copy_(value(rank, 2));
  std::vector<NamedTensor> buffers{{"strided", wide.select(2, 0)},
                                   {"transposed", value(rank, 3).to(torch::kFloat32).t()},
                                   {"counter", torch::tensor(std::int64_t{1} << (40 + rank))},
                                   {"flag", torch::tensor(rank == 0)},
                                   {"empty", torch::empty({0})}};
  DataParallel parallel(communicator, parameters, buffers);
  for (const auto& [name, tensor] : parallel.parameters()) {
    EXPECT_TRUE(tensor.equal(value(0, 1).to(tensor.scalar_type()))) << name;
  }
  EXPECT_TRUE(buffers[0].tensor.equal(value(0, 2).to(torch::kFloat32)));
  EXPECT_TRUE(wide.select(2, 1).eq(99 + rank).all().item<bool>());
  EXPECT_TRUE(buffers[1].tensor.equal(value(0, 3).to(torch::kFloat32).t()));
  EXPECT_EQ(buffers[2].tensor.item<std::int64_t>(), std::int64_t{1} << 40);
  EXPECT_TRUE(buffers[3].tensor.item<bool>());
}

void expect_exact_accumulation(comm::Communicator& communicator) {
  const int rank = communicator.rank();
  SmallNet net;
  DataParallel parallel(communicator, net);
  const auto batch = make_batch(300, 6 * communicator.size());
  const auto own = batch.slice(6 * rank, 6 * rank + 6);
  parallel.begin_step(6);
  {
    const auto no_sync = parallel.no_sync();
    parallel.backward(net.loss(own.slice(0, 1)), 1);
    { const auto nested = parallel.no_sync(); }
    parallel.backward(net.loss(own.slice(1, 4)), 3);
    // The last rank has one micro-batch more than the others take in a NoSync, and then none.
    if (rank == communicator.size() - 1) parallel.backward(net.loss(own.slice(4, 6)), 2);
  }
  if (rank == communicator.size() - 1) {
    parallel.backward_empty();
  } else {
    parallel.backward(net.loss(own.slice(4, 6)), 2);
  }
  parallel.end_step();
  expect_gradients_near(net, *float64_reference(batch));
}

std::uint64_t train_and_hash(comm::Communicator& communicator,
                             const trainer::DataParallelOptions& options) {
  SmallNet net;
  StepEach optimizer(net);
  auto with_update = options;
  with_update.update = [&](std::size_t parameter) { optimizer.update(parameter); };
  DataParallel parallel(communicator, net, with_update);
  for (std::uint64_t step = 0; step < 4; ++step) {
    const std::int64_t samples = 2 + communicator.rank();
    parallel.begin_step(samples);
    parallel.backward(net.loss(make_batch(step * 10 + communicator.rank(), samples)));
    if (options.overlap != trainer::Overlap::kNextForward) optimizer.update_all();
    parallel.end_step();
  }
  parallel.drain();
  return trainer::parameters_hash(parallel.parameters());
}

}  // namespace convoy::tests
