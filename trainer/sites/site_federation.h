// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/journal/audit_log.h"
#include "scheduler/journal/journal.h"
#include "scheduler/journal/payload_store.h"
#include "scheduler/net/stream_messages.h"
#include "trainer/federated/events_file.h"
#include "trainer/federated/federated_metrics.h"
#include "trainer/federated/federated_server.h"
#include "trainer/federated/federated_summary.h"
#include "trainer/federated/federation_checkpoints.h"
#include "trainer/federated/server_evaluation.h"
#include "trainer/job.h"
#include "trainer/run_request.h"
#include "trainer/sites/site_book.h"
#include "trainer/sites/tensor_streams.h"

namespace convoy::trainer {

/// A federation of sites without its connections: a FederatedServer whose every input is on stable
/// storage before anybody learns what came of it, and that goes on after a crash where it was
/// (docs/durability.md). Time is the journal's clock. One thread.
class SiteFederation {
 public:
  /// Begins the run, or goes on with what `request.run_dir` holds: the newest checkpoint, then the
  /// log through the same policy. Borrows job, request and codec.
  /// @param info  of the sites' data. @param test  for evaluation on the server; null: none.
  /// @throws ConfigError, DamageError, StorageError.
  SiteFederation(const Job& job, const RunRequest& request, const DataInfo& info,
                 std::shared_ptr<const Dataset> test, bool without_old_log);
  ~SiteFederation();

  [[nodiscard]] const SiteBook& book() const { return book_; }
  [[nodiscard]] const FederatedServer& server() const { return *server_; }
  [[nodiscard]] scheduler::journal::PayloadStore& store() { return store_; }
  [[nodiscard]] const ModelShape& shape() const { return shape_; }
  [[nodiscard]] double now() const { return journal_->clock().now(); }
  /// Since the first sites were enrolled; 0 before.
  [[nodiscard]] double seconds() const { return begun_at_ ? now() - *begun_at_ : 0.0; }
  [[nodiscard]] const scheduler::journal::RunId& run_id() const { return run_id_; }
  /// Sites have joined: the schedule runs.
  [[nodiscard]] bool has_begun() const { return !book_.all().empty(); }
  [[nodiscard]] bool is_paused() const { return is_paused_; }
  [[nodiscard]] bool has_ended() const { return has_ended_; }
  /// The client's update of this round is awaited, or still welcome.
  [[nodiscard]] bool awaits(std::int64_t client, std::int64_t round) const;
  /// Nobody of this name takes part any more: it has said so, or an operator has.
  [[nodiscard]] bool is_gone(const std::string& site) const { return gone_.contains(site); }
  /// The same by an operator.
  [[nodiscard]] bool is_removed(const std::string& site) const { return removed_.contains(site); }
  /// By the job's rounds, updates or seconds, an operator, or because all sites have left.
  [[nodiscard]] bool is_due_to_end() const;

  // Events. When one returns it is on stable storage; take_assignments() says what follows.
  struct NewSite {
    std::string name;
    std::int64_t client = 0;
    std::int64_t samples = 1;
  };
  /// All of them, or after a crash a part.
  void join(const std::vector<NewSite>& sites);
  /// A site that is back. @param held_version  of the model that it has.
  void rejoin(std::int64_t client, std::optional<std::int64_t> held_version);
  /// @return false for an update that had come before.
  bool update(const std::string& site, const net::UploadBegin& update,
              const std::string& address = "");
  void on_time();
  void evict(std::int64_t client);
  void leave(std::int64_t client, const std::string& why);
  /// @param command  "pause", "resume", "remove NAME" or "finish".
  void command(const std::string& from, const std::string& command);
  void tick();
  /// The end of the run: aggregates what waits.
  void shut_down();

  /// The update is in the log.
  [[nodiscard]] bool knows(const std::string& site, const std::string& id) const;
  /// What has been assigned since the last call.
  [[nodiscard]] std::vector<Assignment> take_assignments();
  /// The site's newest update was refused: its next round must say so.
  [[nodiscard]] bool owes(std::int64_t client) const { return owed_.contains(client); }

  /// Evaluations and checkpoints that are due.
  void look_after();
  /// The end in good order of this process, with a checkpoint.
  void stop();
  /// After shut_down(): the last evaluation, model.pt and summary.json.
  [[nodiscard]] FederatedSummary finish(bool interrupted);

 private:
  using Entry = scheduler::journal::Entry;
  using Sequence = scheduler::journal::Sequence;
  /// An update that may wait, for the audit log.
  struct Known {
    std::string id;
    Sha256 sha256{};
    std::optional<double> epsilon;
  };
  using UpdateKey = std::pair<std::int64_t, std::int64_t>;  ///< client and round

  void open(const DataInfo& info, bool without_old_log);
  /// @return the journal's part of it.
  std::string restore(const FederationSnapshot& saved, std::optional<Sha256>& audit_head);
  void replay(Sequence sequence, const Entry& entry);
  [[nodiscard]] std::string state(const std::string& journal) const;
  void record(const Entry& entry);
  void make_durable();
  void record_input(scheduler::Input::Kind kind, std::int64_t client, std::int64_t samples = 1);
  void apply(const scheduler::journal::InputEntry& entry);
  void apply(const scheduler::journal::UpdateEntry& entry, ClientReport report);
  void apply(const scheduler::journal::CommandEntry& entry);
  /// A logged update, with its tensors where they are to be used.
  [[nodiscard]] ClientReport read(const scheduler::journal::UpdateEntry& entry) const;
  /// Fills in the update's tensors. @return why it must not be used.
  [[nodiscard]] std::optional<std::string> unpack(const std::string& site, const std::string& id,
                                                  ClientReport& report) const;
  void on_assignment(Assignment assignment);
  void on_new_model(const NewModel& made);
  void on_refused(std::int64_t client, const std::string& reason);
  void note(scheduler::journal::AuditEvent event);
  void write_notes();
  void let_go(double time, const std::string& site);
  [[nodiscard]] std::optional<std::string> fault_of(const std::string& site,
                                                    const net::UploadBegin& update,
                                                    ClientReport& report) const;
  void evaluate_if_due();
  void take_evaluation(bool wait);
  void save_checkpoint();
  [[nodiscard]] bool write_checkpoint(const std::string& saved);
  [[nodiscard]] std::int64_t updates() const { return server_->policy().counts().received; }

  const Job& job_;
  const RunRequest& request_;
  std::unique_ptr<Model> model_;
  ModelShape shape_;
  std::unique_ptr<const compress::UpdateCodec> codec_;
  std::shared_ptr<const Dataset> test_;
  std::optional<ServerEvaluation> evaluation_;
  scheduler::journal::RunId run_id_;
  scheduler::journal::PayloadStore store_;
  std::unique_ptr<ResidualOwner> no_residuals_;
  FederationCheckpoints checkpoints_;
  std::unique_ptr<EventsFile> events_;
  std::unique_ptr<FederatedMetrics> metrics_;
  std::unique_ptr<FederatedServer> server_;
  std::unique_ptr<scheduler::journal::AuditLog> audit_;
  std::unique_ptr<scheduler::journal::Journal> journal_;
  SiteBook book_;

  struct Begun {
    std::int64_t round = -1;
    double at = 0.0;
  };
  std::map<std::int64_t, Begun> begun_;  ///< by client: its newest round
  std::set<std::int64_t> owed_;          ///< clients whose newest update was refused
  std::map<UpdateKey, Known> known_;     ///< updates that wait
  std::vector<std::pair<std::string, std::string>> unreleased_;  ///< since the last checkpoint
  std::vector<Assignment> assignments_;
  std::vector<scheduler::journal::AuditEvent> notes_;  ///< until what they follow from is durable
  Sequence sequence_ = 0;                              ///< of the entry that is being applied
  std::int64_t audit_part_ = 0;                        ///< of what follows from it
  const scheduler::journal::UpdateEntry* arriving_ = nullptr;  ///< that is being applied
  std::optional<double> begun_at_;  ///< on the run's clock, which goes while sites are awaited
  std::set<std::string> gone_;      ///< sites, also such as had never joined
  std::set<std::string> removed_;   ///< of gone_, by an operator
  bool is_finish_ordered_ = false;
  bool is_paused_ = false;
  bool has_ended_ = false;
  double seconds_before_ = 0.0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  FederatedSummary summary_;
  std::int64_t evaluated_updates_ = 0;
  std::int64_t evaluated_version_ = -1;
  std::int64_t done_updates_ = 0;
  std::int64_t saved_updates_ = 0;
  /// A checkpoint could not be written: not before this is it tried again.
  std::chrono::steady_clock::time_point next_save_{};
};

}  // namespace convoy::trainer
