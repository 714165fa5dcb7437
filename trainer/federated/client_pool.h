// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "trainer/federated/local_training.h"
#include "trainer/federated/model_update.h"

namespace convoy::trainer {

using WallTime = std::chrono::steady_clock::time_point;

/// One round that a client is to train.
struct Assignment {
  std::int64_t client = 0;
  std::int64_t round = 0;
  std::int64_t steps = 0;
  std::int64_t version = 0;
  SharedState start;
  /// Batches that the client has taken before this round.
  std::int64_t position = 0;
  /// When the answer is expected, on any clock: what is due first is trained first.
  double due = 0.0;
  /// The report is not handed out before.
  WallTime not_before{};
};

/// What a client answers.
struct ClientReport {
  std::int64_t client = 0;
  std::int64_t round = 0;
  LocalResult result;
  std::int64_t position = 0;      ///< batches that the client has taken after this round
  double training_seconds = 0.0;  ///< real ones
};

/// The clients of a federation as its server sees them, wherever they are. One thread calls.
class ClientPool {
 public:
  virtual ~ClientPool() = default;
  /// Lets the client train; returns at once. A client has at most one assignment at a time.
  virtual void start(Assignment assignment) = 0;
  /// The client's report; waits for it, whatever not_before says.
  /// @throws what training threw; CommError where the client is gone.
  [[nodiscard]] virtual ClientReport wait_for(std::int64_t client) = 0;
  /// The next report that may be handed out, or nothing when there is none until `until`.
  /// @throws as wait_for().
  [[nodiscard]] virtual std::optional<ClientReport> next(WallTime until) = 0;
  /// Payload bytes that went to and came from the clients so far; 0 inside one process.
  [[nodiscard]] virtual std::uint64_t bytes_down() const { return 0; }
  [[nodiscard]] virtual std::uint64_t bytes_up() const { return 0; }
};

}  // namespace convoy::trainer
