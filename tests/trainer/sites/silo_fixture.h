// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <tuple>
#include <vector>

#include "comm/local/local.h"
#include "trainer/federated/federation_data.h"
#include "trainer/sites/silo_worker.h"

namespace convoy::tests {

/// A site's job on synthetic clusters: mlp, SGD with momentum, FedProx and clipping.
inline trainer::Job silo_job() {
  trainer::Job job;
  job.run.seed = 5;
  job.data.name = "synthetic";
  job.data.samples = 300;
  job.data.features = 8;
  job.data.classes = 4;
  job.model.name = "mlp";
  job.model.hidden = 12;
  job.model.layers = 1;
  job.train.batch_size = 6;
  job.train.optimizer.lr = 0.1;
  job.train.optimizer.momentum = 0.9;
  job.train.optimizer.weight_decay = 0.001;
  job.train.clip_norm = 0.5;
  job.federation.proximal = 0.2;
  return job;
}

/// What a site has beside its job.
struct SiloData {
  std::int64_t samples = 61;  ///< from number 20 on; no multiple of any batch
  double validation = 0.0;
  compress::CompressionConfig compression;
};

constexpr std::uint64_t kSiteKey = 77;

inline std::vector<std::int64_t> samples_of(const SiloData& data) {
  std::vector<std::int64_t> samples(static_cast<std::size_t>(data.samples));
  std::iota(samples.begin(), samples.end(), std::int64_t{20});
  return samples;
}

inline trainer::SiloSetup silo_setup(const trainer::Job& job, const SiloData& data = {}) {
  trainer::SiloSetup setup;
  setup.job = job;
  setup.dataset = trainer::load_datasets(job.data, job.run.seed).train;
  setup.samples = samples_of(data);
  setup.validation = data.validation;
  setup.key = kSiteKey;
  setup.model = trainer::make_model(job.model, setup.dataset->info(), job.run.seed);
  setup.compression = data.compression;
  return setup;
}

/// Rounds of a few steps, each of them from where the one before has come to.
struct Rounds {
  std::vector<std::int64_t> steps{4, 7};
  trainer::KeepGoing keep_going;
};

inline void advance(trainer::ModelState& start, const trainer::LocalResult& result) {
  for (std::size_t i = 0; i < start.parameters.size(); ++i) {
    start.parameters[i] = start.parameters[i] + result.update.delta[i];
  }
  start.buffers = result.update.buffers;
}

template <typename Train>
std::vector<trainer::LocalResult> run_rounds(const trainer::Model& model, const Rounds& rounds,
                                             const Train& train) {
  std::vector<trainer::LocalResult> results;
  trainer::ModelState start = trainer::copy_state(model);
  std::int64_t position = 0;
  for (const std::int64_t steps : rounds.steps) {
    results.push_back(train(
        trainer::SiteRound{.round = std::ssize(results), .steps = steps, .position = position},
        start));
    position += results.back().steps;
    advance(start, results.back());
  }
  return results;
}

/// One process, without any of what ranks need.
inline std::vector<trainer::LocalResult> train_alone(const trainer::Job& job,
                                                     const SiloData& data = {},
                                                     const Rounds& rounds = {}) {
  auto setup = silo_setup(job, data);
  trainer::LocalTrainer trainer(std::move(setup.model), *setup.dataset,
                                trainer::local_training_config(job));
  trainer::ClientData own(setup.samples, data.validation, job.train.batch_size, kSiteKey);
  return run_rounds(trainer.model(), rounds,
                    [&](const trainer::SiteRound& round, const trainer::ModelState& start) {
                      own.set_position(round.position);
                      return trainer.run(own, start, round.steps, rounds.keep_going);
                    });
}

/// What one rank of a silo does; the results on rank 0.
inline std::vector<trainer::LocalResult> be_silo_rank(comm::Communicator& site,
                                                      const trainer::MakeSilo& make,
                                                      const Rounds& rounds = {}) {
  if (site.rank() != 0) {
    trainer::serve_silo(site, make);
    return {};
  }
  trainer::Silo silo(site);
  const auto worker = silo.start({.job = "job", .script = "", .number = 3}, make);
  return run_rounds(worker->model(), rounds,
                    [&](const trainer::SiteRound& round, const trainer::ModelState& start) {
                      return worker->train(round, start, rounds.keep_going);
                    });
}

inline std::vector<trainer::LocalResult> train_silo(int ranks, const trainer::MakeSilo& make,
                                                    const Rounds& rounds = {}) {
  std::vector<trainer::LocalResult> results;
  comm::local::run(ranks,
                   [&](comm::Communicator& site) {
                     auto own = be_silo_rank(site, make, rounds);
                     if (site.rank() == 0) results = std::move(own);
                   },
                   {.timeout = std::chrono::seconds(30)});
  return results;
}

inline std::vector<trainer::LocalResult> train_silo(int ranks, const trainer::Job& job,
                                                    const SiloData& data = {},
                                                    const Rounds& rounds = {}) {
  return train_silo(
      ranks, [&](const trainer::SiloOffer&) { return silo_setup(job, data); }, rounds);
}

inline void expect_same_bits(const std::vector<trainer::LocalResult>& found,
                             const std::vector<trainer::LocalResult>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t round = 0; round < found.size(); ++round) {
    const auto& [a, b] = std::tie(found[round], expected[round]);
    EXPECT_EQ(a.steps, b.steps);
    EXPECT_EQ(a.samples, b.samples);
    EXPECT_EQ(a.loss, b.loss);
    EXPECT_EQ(a.finite, b.finite);
    EXPECT_EQ(a.validation.has_value(), b.validation.has_value());
    if (a.validation) {
      EXPECT_EQ(a.validation->loss, b.validation->loss);
    }
    for (std::size_t i = 0; i < b.update.delta.size(); ++i) {
      EXPECT_TRUE(torch::equal(a.update.delta[i], b.update.delta[i])) << i;
    }
    for (std::size_t i = 0; i < b.update.buffers.size(); ++i) {
      EXPECT_TRUE(torch::equal(a.update.buffers[i], b.update.buffers[i])) << i;
    }
  }
}

/// Relative to the length of each tensor.
inline double distance(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  double largest = 0.0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const auto norm = b[i].to(torch::kDouble).norm().item<double>();
    const auto off = (a[i].to(torch::kDouble) - b[i].to(torch::kDouble)).norm().item<double>();
    largest = std::max(largest, off / std::max(norm, 1e-12));
  }
  return largest;
}

inline void expect_close(const std::vector<trainer::LocalResult>& found,
                         const std::vector<trainer::LocalResult>& expected, double bound = 1e-5) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t round = 0; round < found.size(); ++round) {
    const auto& [a, b] = std::tie(found[round], expected[round]);
    EXPECT_EQ(a.steps, b.steps);
    EXPECT_EQ(a.samples, b.samples);
    EXPECT_NEAR(a.loss, b.loss, bound * std::abs(b.loss));
    EXPECT_LE(distance(a.update.delta, b.update.delta), bound) << "round " << round;
    ASSERT_EQ(a.validation.has_value(), b.validation.has_value());
    if (!a.validation) continue;
    EXPECT_EQ(a.validation->samples, b.validation->samples);
    EXPECT_NEAR(a.validation->loss, b.validation->loss, bound * b.validation->loss);
    EXPECT_NEAR(a.validation->accuracy, b.validation->accuracy, 1e-12);
  }
}

/// The same global batches, of one process.
inline trainer::Job with_global_batch(trainer::Job job, int ranks) {
  job.train.batch_size *= ranks;
  return job;
}

}  // namespace convoy::tests
