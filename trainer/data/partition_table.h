// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trainer/data/partition.h"

namespace convoy::trainer {

/// [clients][classes] how many samples of each class a client has.
using ClassCounts = std::vector<std::vector<std::int64_t>>;

[[nodiscard]] ClassCounts count_classes(const Partition& partition,
                                        std::span<const std::int64_t> labels, std::int64_t classes);

/// How unlike the clients are, in [0, 1): the mean over clients, weighted by their samples, of the
/// total variation distance (half the sum of absolute differences) between a client's shares of
/// the classes and those of all samples together. 0: all mixtures are equal; with C equally large
/// classes and one class a client 1 - 1/C. Independent of the clients' sizes as such.
[[nodiscard]] double heterogeneity(const ClassCounts& counts);

/// The counts for people: a line a client, its samples and those of each class, then the totals and
/// the heterogeneity.
[[nodiscard]] std::string format_table(const ClassCounts& counts);

}  // namespace convoy::trainer
