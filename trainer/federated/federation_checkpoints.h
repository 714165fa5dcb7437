// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/federated/federated_server.h"
#include "trainer/federated/residual_owner.h"
#include "trainer/job.h"
#include "trainer/models/model.h"
#include "trainer/run_request.h"

namespace convoy::trainer {

/// A federation at one moment: all that a resumed run needs.
struct FederationSnapshot {
  FederationState server;
  std::string clock;                   ///< FederationClock::save()
  std::vector<NamedTensor> residuals;  ///< ResidualOwner::residuals()
  std::int64_t updates = 0;            ///< that have reached the server
  std::int64_t steps = 0;              ///< local ones, of what is in the model
  std::int64_t samples = 0;            ///< likewise
  double seconds = 0.0;                ///< real ones
  double step_seconds = 0.0;           ///< what speeds are factors of
  std::uint64_t events_bytes = 0;      ///< of events.jsonl
  std::int64_t evaluated_updates = 0;  ///< at the newest evaluation that was done
};

/// Writes and reads the checkpoints of a federation, on the server alone. What compression owes is
/// with the clients: a checkpoint is begun, and written when they have answered. One thread.
class FederationCheckpoints {
 public:
  /// Borrows `clients`. @param model  of the job; for the checkpoint's model.pt.
  FederationCheckpoints(const Job& job, const RunRequest& request, ResidualOwner& clients,
                        std::unique_ptr<Model> model);

  [[nodiscard]] bool running() const { return begun_.has_value(); }
  /// Asks the clients for their residuals; those of `now` are not looked at. Not while one is
  /// running. @param state  the global model.
  void begin(FederationSnapshot now, const ModelState& state);
  /// Writes what was begun, if anything was and the clients have answered. @param wait  until they
  /// have. @throws what CheckpointStore::save() and ResidualOwner::residuals() throw.
  void finish(bool wait);

  /// @throws ConfigError where there is nothing to go on from.
  [[nodiscard]] FederationSnapshot load();

 private:
  const RunRequest& request_;
  ResidualOwner& clients_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<comm::Communicator> alone_;
  CheckpointStore store_;
  std::optional<FederationSnapshot> begun_;
};

}  // namespace convoy::trainer
