// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/data/partition_table.h"
#include "trainer/federated/client_data.h"
#include "trainer/federated/local_training.h"
#include "trainer/job.h"

namespace convoy::trainer {

/// The data of a federation, as every rank can work it out from the job.
struct FederationData {
  Datasets datasets;
  Partition partition;
  ClassCounts counts;
  /// Samples that each client trains on: its weight.
  [[nodiscard]] std::vector<std::int64_t> samples(const Job& job) const;
  /// What client `client` trains on.
  [[nodiscard]] ClientData client(const Job& job, std::int64_t client) const;
  [[nodiscard]] std::vector<ClientData> clients(const Job& job) const;
};

/// Names the random streams of a client: its batches, what it holds back, dropout.
[[nodiscard]] std::uint64_t client_key(const Job& job, std::int64_t client);

/// Loads the data and deals it out. @throws ConfigError.
[[nodiscard]] FederationData load_federation_data(const Job& job);

/// How clients train in this job.
[[nodiscard]] LocalTrainingConfig local_training_config(const Job& job);

}  // namespace convoy::trainer
