// SPDX-License-Identifier: Apache-2.0
#include "tests/compress/reduce/reducer_kit.h"

#include <algorithm>
#include <span>

#include "base/hash.h"
#include "base/random.h"

namespace convoy::tests {
namespace {

using compress::Layer;

Layer layer(const std::string& name, std::vector<std::int64_t> shape) {
  std::int64_t numel = 1;
  for (const auto size : shape) numel *= size;
  return {name, 0, std::move(shape), numel};
}

std::vector<float> gradient(const Layer& layer, std::uint64_t index, int rank, std::int64_t step) {
  Random random({index, static_cast<std::uint64_t>(rank), static_cast<std::uint64_t>(step)});
  Random shared({index, static_cast<std::uint64_t>(step)});
  const std::int64_t columns = layer.shape.size() < 2 ? layer.numel : layer.numel / layer.shape[0];
  std::vector<double> direction(static_cast<std::size_t>(columns));
  for (double& value : direction) value = shared.normal();
  const double scale = 1.0 / static_cast<double>(1 + 3 * index);
  std::vector<float> values;
  double row = 0.0;
  for (std::int64_t i = 0; i < layer.numel; ++i) {
    if (i % columns == 0) row = shared.normal();
    const double smooth = 3.0 * row * direction[static_cast<std::size_t>(i % columns)];
    values.push_back(static_cast<float>(scale * (smooth + random.normal())));
  }
  return values;
}

/// On a device where `reducer` works there, which is the double's: of host memory.
compress::Bucket bucket_of(const compress::Reducer& reducer, std::span<const Layer> layers,
                           const Gradients& gradients) {
  const auto memory = std::make_shared<std::vector<float>>();
  compress::Bucket bucket;
  for (Layer each : layers) {
    each.offset = std::ssize(*memory);
    const auto& values = gradients.at(each.name);
    memory->insert(memory->end(), values.begin(), values.end());
    bucket.layers.push_back(each);
  }
  bucket.values = *memory;
  bucket.owner = memory;
  if (!reducer.works_on(comm::Device::kHost)) bucket.device = comm::Device::kCuda;
  return bucket;
}

}  // namespace

std::vector<Layer> small_model() {
  return {layer("conv1.weight", {16, 3, 3, 3}),  layer("conv1.bias", {16}),
          layer("conv2.weight", {24, 16, 3, 3}), layer("long.bias", {700}),
          layer("fc.weight", {10, 65}),          layer("tiny.weight", {3, 7})};
}

Gradients gradients_of(const std::vector<Layer>& layers, int rank, std::int64_t step) {
  Gradients gradients;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    gradients[layers[i].name] = gradient(layers[i], i, rank, step);
  }
  return gradients;
}

std::map<std::string, std::vector<double>> mean_gradients(const std::vector<Layer>& layers,
                                                          int ranks, std::int64_t step) {
  std::map<std::string, std::vector<double>> mean;
  for (int rank = 0; rank < ranks; ++rank) {
    for (const auto& [name, values] : gradients_of(layers, rank, step)) {
      auto& sum = mean[name];
      sum.resize(values.size());
      for (std::size_t i = 0; i < values.size(); ++i) sum[i] += values[i] / double(ranks);
    }
  }
  return mean;
}

Gradients reduce_step(compress::Reducer& reducer, const std::vector<Layer>& layers,
                      const Gradients& gradients, std::int64_t step,
                      std::size_t layers_per_bucket) {
  Gradients averages;
  reducer.begin_step(step);
  for (std::size_t begin = 0; begin < layers.size(); begin += layers_per_bucket) {
    const auto count = std::min(layers_per_bucket, layers.size() - begin);
    const auto bucket = bucket_of(reducer, std::span(layers).subspan(begin, count), gradients);
    reducer.reduce(bucket);
    for (const Layer& each : bucket.layers) {
      const auto values = bucket.values_of(each);
      averages[each.name].assign(values.begin(), values.end());
    }
  }
  reducer.end_step();
  return averages;
}

Gradients reduce_step_overlapping(compress::Reducer& reducer, const std::vector<Layer>& layers,
                                  const Gradients& gradients, std::int64_t step, Random& random) {
  reducer.begin_step(step);
  std::vector<compress::Bucket> buckets;
  for (const Layer& each : layers)
    buckets.push_back(bucket_of(reducer, std::span(&each, 1), gradients));
  std::vector<compress::Reduction> reductions;
  for (const auto& bucket : buckets) {
    reductions.push_back(reducer.start(bucket, static_cast<int>(random.below(3))));
  }
  const auto is_under_way = [](const auto& reduction) { return !reduction.done(); };
  // Those that begin with an error, or are done at once, have not told yet.
  for (auto& reduction : reductions) (void)reduction.advance();
  while (std::ranges::any_of(reductions, is_under_way)) {
    auto& one = reductions[random.below(reductions.size())];
    if (is_under_way(one)) (void)one.advance();
  }
  reducer.end_step();
  Gradients averages;
  for (const auto& bucket : buckets) {
    averages[bucket.layers.front().name].assign(bucket.values.begin(), bucket.values.end());
  }
  return averages;
}

std::int64_t hash_of(const Gradients& gradients) {
  std::uint64_t hash = 0;
  for (const auto& [name, values] : gradients) {
    hash = hash64(std::as_bytes(std::span(name)), hash);
    hash = hash64(std::as_bytes(std::span(values)), hash);
  }
  return static_cast<std::int64_t>(hash);
}

compress::CompressionConfig config_of(const std::string& family, double level) {
  compress::CompressionConfig config;
  config.family = family;
  config.level = level;
  config.policy = "uniform";
  config.min_numel = 64;
  config.group = 64;
  return config;
}

std::vector<std::pair<std::string, compress::CompressionConfig>> all_families() {
  auto stochastic = config_of("quantize", 3);
  stochastic.rounding = "stochastic";
  auto half_values = config_of("top_k", 0.05);
  half_values.values = "float16";
  auto two_hops = config_of("top_k", 0.1);
  two_hops.two_hop_ranks = 2;
  auto bfloat = config_of("half", 16);
  bfloat.half_type = "bfloat16";
  return {{"quantize 4 bits", config_of("quantize", 4)},
          {"quantize 1 bit", config_of("quantize", 1)},
          {"quantize 3 bits, stochastic", stochastic},
          {"top_k 10 %", config_of("top_k", 0.1)},
          {"top_k 5 %, float16", half_values},
          {"top_k 10 % in two hops", two_hops},
          {"power_sgd rank 2", config_of("power_sgd", 2)},
          {"half", config_of("half", 16)},
          {"half, bfloat16", bfloat}};
}

}  // namespace convoy::tests
