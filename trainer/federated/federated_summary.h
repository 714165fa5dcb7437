// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "scheduler/summary.h"
#include "trainer/federated/answer_times.h"
#include "trainer/federated/federated_server.h"
#include "trainer/federated/federation_privacy.h"
#include "trainer/summary.h"

namespace convoy::trainer {

/// How a federation ended; D/summary.json.
struct FederatedSummary {
  /// As of data-parallel training. steps and samples: of all clients together; seconds: real ones
  /// of the whole run; ranks: of the MPI job.
  Summary run;
  std::string clock;
  double federation_seconds = 0.0;  ///< on the clock of the run: emulated ones of "virtual"
  std::int64_t versions = 0;        ///< of the global model
  std::int64_t updates = 0;         ///< that reached the server
  double heterogeneity = 0.0;       ///< of the partition, see heterogeneity()
  /// Payload, the same whether it crosses a network or not.
  std::uint64_t bytes_down = 0;
  std::uint64_t bytes_up = 0;
  std::map<std::int64_t, ClientBytes> client_bytes;  ///< by client
  ServerMemory server_memory;                        ///< where its total was largest
  /// How long the server took to answer in this process; nothing under the virtual clock.
  std::optional<AnswerSummary> answers;
  std::optional<FederationPrivacy> privacy;
  scheduler::Summary schedule;  ///< until the end, without what that has aggregated
  /// With what the end has aggregated: pending is 0 unless the run was interrupted.
  scheduler::Counts counts;
  std::int64_t pending = 0;
};

/// As one JSON document: the keys of to_json(Summary), then those of a federation.
[[nodiscard]] std::string to_json(const FederatedSummary& summary);

}  // namespace convoy::trainer
