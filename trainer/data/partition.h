// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace convoy::trainer {

/// data.partition of the job file: how the training samples are dealt out to the clients of a
/// federation.
struct PartitionConfig {
  /// "iid": a random equal share each.
  /// "classes": `classes_per_client` classes each, every class held by about as many clients; its
  ///   samples in equal parts.
  /// "dirichlet": each class is shared out over the clients by proportions ~ Dir(alpha).
  /// "dual_dirichlet": client sizes ~ Dir(size_alpha), classes of a client ~ Dir(alpha * C * the
  ///   shares that the C classes have in the whole).
  std::string name = "iid";
  std::int64_t classes_per_client = 2;
  double alpha = 0.5;             ///< larger: clients hold more alike mixtures of classes
  double size_alpha = 2.0;        ///< larger: clients are more alike in size
  std::int64_t min_samples = 10;  ///< of every client
};

/// Sample numbers of each client, ascending.
using Partition = std::vector<std::vector<std::int64_t>>;

/// Deals samples 0..labels.size()-1 out to `clients`: every sample to exactly one of them, at least
/// config.min_samples to each. Pure: the same arguments give the same partition. Always ends:
/// nothing is drawn again until it suits; clients below the minimum are filled up from the largest
/// ones instead, one sample of the donor's most frequent class at a time.
///
/// The dual Dirichlet partition wants three things that contradict each other (sizes, mixtures,
/// every sample once); the wished-for counts are scaled to the classes' and clients' totals in
/// turns, a fixed number of times, and the classes' totals are met exactly.
///
/// @param labels  class of each sample, in [0, classes); all 0 for data without classes.
/// O(samples + clients * classes).
/// @throws ConfigError: unknown name, impossible sizes, too few samples for the clients, classes
///         that nobody would hold.
[[nodiscard]] Partition make_partition(const PartitionConfig& config,
                                       std::span<const std::int64_t> labels, std::int64_t classes,
                                       std::int64_t clients, std::uint64_t seed);

/// The part of make_partition() that needs no data. @throws ConfigError.
void check_partition(const PartitionConfig& config, std::int64_t clients);

}  // namespace convoy::trainer
