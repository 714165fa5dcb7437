// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "scheduler/scenario.h"
#include "trainer/federated/client_pool.h"
#include "trainer/federated/events_file.h"
#include "trainer/federated/federated_metrics.h"
#include "trainer/federated/federated_server.h"
#include "trainer/federated/federated_summary.h"
#include "trainer/federated/federation_checkpoints.h"
#include "trainer/federated/federation_clock.h"
#include "trainer/federated/federation_data.h"
#include "trainer/federated/server_evaluation.h"
#include "trainer/job.h"
#include "trainer/models/model.h"
#include "trainer/run_request.h"

namespace convoy::trainer {

/// The serving side of one federated run, from loaded data to the summary. run() is called once.
class FederatedRun {
 public:
  /// Borrows everything but `clients`. @param codec  of updates; null: dense.
  /// @param step_seconds  of a local step here, where speeds are factors of it; a resumed run goes
  ///   on with what it began with.
  FederatedRun(const Job& job, const RunRequest& request, const FederationData& data,
               std::unique_ptr<ClientPool> clients, const compress::UpdateCodec* codec,
               double step_seconds);

  /// Trains until the job's end, or until the request asks to stop.
  [[nodiscard]] FederatedSummary run();

  /// After run(): waits until the clients have ended too, but for dead ones; then the communicator
  /// is poisoned.
  void end_clients();

 private:
  void start();
  /// @throws ConfigError where there is nothing to go on from.
  void restore();
  void begin_checkpoint();
  void after_event();
  void stop_where_nothing_comes_of_it();
  void on_new_model(const NewModel& made);
  [[nodiscard]] bool finished() const;
  [[nodiscard]] std::int64_t updates() const { return server_.policy().counts().received; }
  void evaluate_if_due();
  void evaluate();
  /// Notes what evaluate() has found, when it is there. @param wait  until it is.
  void take_evaluation(bool wait);
  void write_scenario() const;
  [[nodiscard]] double seconds_here() const;
  [[nodiscard]] FederatedSummary finish();

  const Job& job_;
  const RunRequest& request_;
  const FederationData& data_;
  std::vector<std::int64_t> samples_;
  std::unique_ptr<Model> model_;  ///< for the final file
  ServerEvaluation evaluation_;
  double step_seconds_;
  scheduler::Scenario scenario_;
  std::unique_ptr<EventsFile> events_;
  std::unique_ptr<FederatedMetrics> metrics_;
  FederatedServer server_;
  std::unique_ptr<ClientPool> clients_;
  FederationCheckpoints checkpoints_;
  std::unique_ptr<FederationClock> clock_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  bool ended_by_timer_ = false;  ///< the newest event was no update
  FederatedSummary summary_;     ///< filled as the run goes; seconds: of the parts before a resume
  std::int64_t accepted_ = 0;    ///< updates, at the last one
  std::int64_t refused_before_ = 0;      ///< the last accepted one
  std::int64_t evaluated_updates_ = 0;   ///< when the newest evaluation was started
  std::int64_t evaluated_version_ = -1;  ///< likewise
  std::int64_t done_updates_ = 0;        ///< evaluated_updates_ of the newest one that is done
  std::int64_t saved_updates_ = 0;
};

}  // namespace convoy::trainer
