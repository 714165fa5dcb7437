// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/partition.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "base/errors.h"
#include "base/random.h"
#include "trainer/data/internal/dirichlet.h"

namespace convoy::trainer {
namespace {

constexpr std::uint64_t kPartitionStream = 0x706172746974696f;  // "partitio"
constexpr int kScalings = 50;  ///< of the dual Dirichlet's wished-for counts; no limit is needed

/// [clients][classes] how much of each class a client is to have; only ratios within a class count.
using Weights = std::vector<std::vector<double>>;

/// The samples of each class, in a random order.
std::vector<std::vector<std::int64_t>> shuffled_classes(std::span<const std::int64_t> labels,
                                                        std::int64_t classes, Random& random) {
  std::vector<std::vector<std::int64_t>> samples(static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    require(labels[i] >= 0 && labels[i] < classes, "make_partition: a label is out of range");
    samples[static_cast<std::size_t>(labels[i])].push_back(static_cast<std::int64_t>(i));
  }
  for (auto& of_class : samples) shuffle(std::span(of_class), random);
  return samples;
}

/// Each client takes the classes that the fewest have taken; chance decides between equals.
Weights by_class(std::size_t clients, std::size_t classes, std::size_t per_client, Random& random) {
  Weights weights(clients, std::vector<double>(classes));
  std::vector<std::int64_t> holders(classes);
  for (auto& client : weights) {
    std::vector<std::tuple<std::int64_t, std::uint64_t, std::size_t>> order;
    for (std::size_t c = 0; c < classes; ++c) order.emplace_back(holders[c], random(), c);
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < per_client; ++i) {
      const std::size_t taken = std::get<2>(order[i]);
      client[taken] = 1.0;
      ++holders[taken];
    }
  }
  return weights;
}

Weights by_dirichlet(std::size_t clients, std::size_t classes, double alpha, Random& random) {
  Weights weights(clients, std::vector<double>(classes));
  const std::vector<double> alphas(clients, alpha);
  for (std::size_t c = 0; c < classes; ++c) {
    const auto shares = internal::dirichlet(alphas, random);
    for (std::size_t i = 0; i < clients; ++i) weights[i][c] = shares[i];
  }
  return weights;
}

/// Scales the columns to sum to `class_shares`, then the rows to `sizes`, over and over.
void scale_to_totals(Weights& weights, const std::vector<double>& sizes,
                     const std::vector<double>& class_shares) {
  for (int round = 0; round < kScalings; ++round) {
    for (std::size_t c = 0; c < class_shares.size(); ++c) {
      double sum = 0.0;
      for (const auto& client : weights) sum += client[c];
      for (auto& client : weights) client[c] *= sum > 0.0 ? class_shares[c] / sum : 0.0;
    }
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const double sum = std::accumulate(weights[i].begin(), weights[i].end(), 0.0);
      for (double& weight : weights[i]) weight *= sum > 0.0 ? sizes[i] / sum : 0.0;
    }
  }
}

Weights by_dual_dirichlet(const PartitionConfig& config, std::size_t clients,
                          const std::vector<double>& class_shares, Random& random) {
  // A class without samples would ask for Dir(0); a whisper of it is left to nobody below.
  constexpr double kLeastShare = 1e-9;
  std::vector<double> alphas;
  for (const double share : class_shares) {
    alphas.push_back(config.alpha * static_cast<double>(class_shares.size()) *
                     std::max(share, kLeastShare));
  }
  const auto sizes = internal::dirichlet(std::vector<double>(clients, config.size_alpha), random);
  Weights weights;
  for (std::size_t i = 0; i < clients; ++i) {
    weights.push_back(internal::dirichlet(alphas, random));
    for (double& weight : weights.back()) weight *= sizes[i];
  }
  scale_to_totals(weights, sizes, class_shares);
  return weights;
}

/// A class that no client wants (all its weights have vanished) goes to all alike.
std::vector<double> column(const Weights& weights, std::size_t c) {
  std::vector<double> values;
  for (const auto& client : weights) values.push_back(client[c]);
  if (std::accumulate(values.begin(), values.end(), 0.0) > 0.0) return values;
  return std::vector<double>(values.size(), 1.0);
}

/// [clients][classes] samples.
using Dealt = std::vector<std::vector<std::vector<std::int64_t>>>;

Dealt deal(const std::vector<std::vector<std::int64_t>>& samples, const Weights& weights) {
  Dealt dealt(weights.size(), std::vector<std::vector<std::int64_t>>(samples.size()));
  for (std::size_t c = 0; c < samples.size(); ++c) {
    const auto counts = internal::largest_remainders(static_cast<std::int64_t>(samples[c].size()),
                                                     column(weights, c));
    auto next = samples[c].begin();
    for (std::size_t i = 0; i < counts.size(); ++i) {
      dealt[i][c].assign(next, next + counts[i]);
      next += counts[i];
    }
  }
  return dealt;
}

/// Fills the clients below `minimum` up from the largest. Each turn moves one sample from a client
/// above the minimum to one below it, so there are at most clients * minimum of them.
void fill_up(Dealt& dealt, std::int64_t minimum) {
  std::vector<std::int64_t> sizes;
  for (const auto& client : dealt) {
    std::int64_t size = 0;
    for (const auto& samples : client) size += static_cast<std::int64_t>(samples.size());
    sizes.push_back(size);
  }
  for (std::size_t i = 0; i < dealt.size(); ++i) {
    for (; sizes[i] < minimum; ++sizes[i]) {
      const auto donor =
          static_cast<std::size_t>(std::max_element(sizes.begin(), sizes.end()) - sizes.begin());
      auto& classes = dealt[donor];
      const auto largest =
          std::max_element(classes.begin(), classes.end(),
                           [](const auto& a, const auto& b) { return a.size() < b.size(); });
      dealt[i][static_cast<std::size_t>(largest - classes.begin())].push_back(largest->back());
      largest->pop_back();
      --sizes[donor];
    }
  }
}

Partition flatten(const Dealt& dealt) {
  Partition partition;
  for (const auto& client : dealt) {
    auto& samples = partition.emplace_back();
    for (const auto& of_class : client) {
      samples.insert(samples.end(), of_class.begin(), of_class.end());
    }
    std::sort(samples.begin(), samples.end());
  }
  return partition;
}

/// A random equal share each; sizes differ by at most one.
Partition equal_shares(std::int64_t samples, std::int64_t clients, Random& random) {
  const auto order = permutation(samples, random);
  Partition partition;
  for (std::int64_t i = 0; i < clients; ++i) {
    auto& own = partition.emplace_back(order.begin() + samples * i / clients,
                                       order.begin() + samples * (i + 1) / clients);
    std::sort(own.begin(), own.end());
  }
  return partition;
}

void check_fits(const PartitionConfig& config, std::int64_t samples, std::int64_t classes,
                std::int64_t clients) {
  require_config(
      config.min_samples <= samples / clients,
      fmt::format("data.partition.min_samples = {}: {} samples do not give {} clients so many each",
                  config.min_samples, samples, clients));
  if (config.name != "classes") return;
  require_config(config.classes_per_client <= classes,
                 fmt::format("data.partition.classes_per_client = {}: the data has {} classes",
                             config.classes_per_client, classes));
  require_config(clients >= (classes + config.classes_per_client - 1) / config.classes_per_client,
                 fmt::format("data.partition.classes_per_client = {}: {} clients leave some of the "
                             "{} classes to nobody",
                             config.classes_per_client, clients, classes));
}

Weights weights_of(const PartitionConfig& config,
                   const std::vector<std::vector<std::int64_t>>& samples, std::size_t clients,
                   Random& random) {
  const std::size_t classes = samples.size();
  if (config.name == "classes") {
    return by_class(clients, classes, static_cast<std::size_t>(config.classes_per_client), random);
  }
  if (config.name == "dirichlet") return by_dirichlet(clients, classes, config.alpha, random);
  std::vector<double> class_shares;
  for (const auto& of_class : samples) class_shares.push_back(static_cast<double>(of_class.size()));
  const double all = std::accumulate(class_shares.begin(), class_shares.end(), 0.0);
  for (double& share : class_shares) share /= all;
  return by_dual_dirichlet(config, clients, class_shares, random);
}

}  // namespace

void check_partition(const PartitionConfig& config, std::int64_t clients) {
  const auto& name = config.name;
  require_config(
      name == "iid" || name == "classes" || name == "dirichlet" || name == "dual_dirichlet",
      fmt::format("data.partition.name: \"{}\" is none of: iid, classes, dirichlet, dual_dirichlet",
                  name));
  require_config(clients >= 1, "a partition needs at least one client");
  require_config(config.classes_per_client >= 1,
                 "data.partition.classes_per_client must be at least 1");
  require_config(config.alpha > 0.0 && std::isfinite(config.alpha),
                 "data.partition.alpha must be above 0");
  require_config(config.size_alpha > 0.0 && std::isfinite(config.size_alpha),
                 "data.partition.size_alpha must be above 0");
  require_config(config.min_samples >= 1, "data.partition.min_samples must be at least 1");
}

Partition make_partition(const PartitionConfig& config, std::span<const std::int64_t> labels,
                         std::int64_t classes, std::int64_t clients, std::uint64_t seed) {
  check_partition(config, clients);
  require(classes >= 1, "make_partition: there must be at least one class");
  check_fits(config, static_cast<std::int64_t>(labels.size()), classes, clients);
  Random random({seed, kPartitionStream});
  if (config.name == "iid") {
    return equal_shares(static_cast<std::int64_t>(labels.size()), clients, random);
  }
  const auto samples = shuffled_classes(labels, classes, random);
  const Weights weights = weights_of(config, samples, static_cast<std::size_t>(clients), random);
  Dealt dealt = deal(samples, weights);
  fill_up(dealt, config.min_samples);
  return flatten(dealt);
}

}  // namespace convoy::trainer
