// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/client_data.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "base/errors.h"
#include "base/random.h"

namespace convoy::trainer {
namespace {

constexpr std::uint64_t kHoldBackStream = 0x686f6c646261636b;  // "holdback"

/// Takes a random share out of `samples`; at least one stays.
std::vector<std::int64_t> hold_back(std::vector<std::int64_t>& samples, double share,
                                    std::uint64_t key) {
  require(!samples.empty(), "ClientData: a client needs at least one sample");
  const auto size = static_cast<std::int64_t>(samples.size());
  const auto wanted = std::llround(static_cast<double>(size) * share);
  const auto count = std::clamp<std::int64_t>(wanted, share > 0.0 ? 1 : 0, size - 1);
  Random random({key, kHoldBackStream});
  shuffle(std::span(samples), random);
  std::vector<std::int64_t> held(samples.begin(), samples.begin() + count);
  samples.erase(samples.begin(), samples.begin() + count);
  std::sort(samples.begin(), samples.end());
  std::sort(held.begin(), held.end());
  return held;
}

std::vector<std::int64_t> part_of(const std::vector<std::int64_t>& samples,
                                  ClientData::Ranks ranks) {
  const auto end_of = [&](int rank) {
    return samples.begin() + std::ssize(samples) * rank / ranks.size;
  };
  return {end_of(ranks.rank), end_of(ranks.rank + 1)};
}

}  // namespace

std::vector<std::int64_t> sample_classes(const Dataset& dataset) {
  constexpr std::int64_t kAtATime = 1024;
  std::vector<std::int64_t> classes(static_cast<std::size_t>(dataset.size()));
  if (dataset.info().task != Task::kClassify) return classes;
  std::vector<std::int64_t> indices;
  for (std::int64_t begin = 0; begin < dataset.size(); begin += kAtATime) {
    indices.resize(static_cast<std::size_t>(std::min(kAtATime, dataset.size() - begin)));
    std::iota(indices.begin(), indices.end(), begin);
    const auto targets = dataset.get(indices, 0).targets.contiguous();
    std::copy_n(targets.data_ptr<std::int64_t>(), targets.numel(), classes.begin() + begin);
  }
  return classes;
}

ClientData::ClientData(std::vector<std::int64_t> samples, double validation,
                       std::int64_t batch_size, std::uint64_t key, Ranks ranks)
    : train_(std::move(samples)),
      validation_(part_of(hold_back(train_, validation, key), ranks)),
      key_(key),
      sampler_(train_size(), ranks.rank, ranks.size, batch_size, key) {}

ClientData::NextBatch ClientData::next() {
  const std::int64_t per_epoch = sampler_.batches_per_epoch();
  NextBatch batch{.epoch = position_ / per_epoch, .number = position_};
  const Share share = sampler_.share(batch.epoch, position_ % per_epoch);
  batch.global_samples = share.global_samples;
  batch.first_rank = share.first_rank;
  for (const std::int64_t i : share.indices) {
    batch.samples.push_back(train_[static_cast<std::size_t>(i)]);
  }
  ++position_;
  return batch;
}

}  // namespace convoy::trainer
