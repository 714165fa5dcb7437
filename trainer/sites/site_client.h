// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "trainer/sites/silo_site.h"
#include "trainer/sites/site_line.h"
#include "trainer/sites/site_rounds.h"

namespace convoy::trainer {

struct SiteClientOptions {
  SiteBelongings own;
  /// Folder of the newest update and what belongs to it; this process's alone (mode 0700).
  std::filesystem::path state;
  std::filesystem::path model;  ///< where the run's result is written
  std::int64_t threads = 1;     ///< of LibTorch, as set already
  std::string instance;         ///< of this process, at random
  std::string software;
  /// Who is stopped leaves the run. Else the site is only away: its update waits in `state`, and
  /// the next process goes on.
  bool leave_on_stop = false;
  /// How long a site whose budget is spent waits until the server has heard that it leaves. Its
  /// last update has said so already, and the server may be gone for good.
  std::chrono::milliseconds budget_patience{60'000};
  const std::atomic<bool>* stop = nullptr;  ///< null: never; borrowed
  /// The site's other ranks, which train with this one; null: there are none. Borrowed.
  Silo* silo = nullptr;
  SiloInside inside;  ///< of that silo
  /// Reads a job. @throws ConfigError.
  std::function<Job(const std::string& toml)> read_job;
};

/// How a site's part in a run has ended.
struct SiteOutcome {
  enum class Kind : std::uint8_t { kFinished, kLeft, kStopped };
  Kind kind = Kind::kStopped;
  /// Of kLeft; of kStopped: empty, or that the server was not told that the site leaves.
  std::string reason;
  std::string run;
  std::int64_t rounds = 0;  ///< trained by this process
  std::int64_t steps = 0;
  std::int64_t updates = 0;   ///< acknowledged to this process
  std::int64_t given_up = 0;  ///< refused
  std::optional<double> epsilon;
  bool is_insecure = false;           ///< its noise came from a seed, and protects nobody
  std::filesystem::path model;        ///< empty where there is none
  std::uint64_t parameters_hash = 0;  ///< of `model`, as in the server's summary
};
[[nodiscard]] std::string to_json(const SiteOutcome& outcome);

/// A site of a federation over the internet. Trains on the caller's thread; another one talks to
/// the server, whatever this one does.
class SiteClient {
 public:
  /// @throws ConfigError where another process has the state folder, and where that or the model
  ///   cannot be written; DamageError, StorageError.
  SiteClient(SiteClientOptions options, LineDialing dialing);

  /// Takes part until the run is over, the budget is spent, or somebody stops it.
  /// @throws ConfigError for what somebody must mend first: data, ledger or policy that do not fit
  ///   the job, a site or certificate that the server refuses for good; std::runtime_error where
  ///   the server ends it otherwise, and for what training and disks throw.
  [[nodiscard]] SiteOutcome run();

 private:
  void handle(JobCame& job);
  void handle(RoundCame& round);
  void handle(UpdateAnswered& answer);
  void handle(FinalCame& final_model);
  void handle(ScriptCame& script);
  void handle(LeaveAccepted& accepted);
  void handle(LinkEnded& ended);

  void consider(const JobCame& job);
  void load(const std::string& script);
  void open_ledger();
  void enrol(const JobCame& job);
  [[nodiscard]] MakeSiteWorker worker_maker(std::int64_t number) const;
  void require_same_place(std::int64_t number) const;
  [[nodiscard]] bool is_answered(const net::Dispatch& round);
  void take_next_model();
  void end_with(net::RefusalCode code, const std::string& text);
  [[noreturn]] void refuse(net::RefusalCode code, const std::string& text);
  void train();
  void send(const SiteRounds::Trained& trained, bool take_back);
  bool listen();
  void leave(net::LeaveReason reason, const std::string& text);
  void leave_if_spent();
  void leave_untold();
  void stop();
  [[nodiscard]] bool is_stopped() const { return options_.stop != nullptr && *options_.stop; }
  bool work(std::chrono::milliseconds patience);

  /// Of the newest round, for signs of life from another thread.
  struct Pulse {
    std::atomic<bool> is_training = false;
    std::atomic<std::int64_t> round = 0;
    std::atomic<std::int64_t> steps = 0;
  };

  const SiteClientOptions options_;
  Pulse pulse_;
  UpdateBox box_;
  std::optional<JobCame> offered_;  ///< the job as it was asked for
  Job job_;                         ///< of offered_
  std::optional<SiteJob> loaded_;   ///< until the server has enrolled the site
  std::unique_ptr<SiteRounds> rounds_;
  std::optional<net::Dispatch> next_;    ///< round that is to be trained
  std::optional<std::int64_t> in_hand_;  ///< round that is trained, until its update is stored
  std::optional<std::int64_t> done_;     ///< newest round whose update counts, or may
  bool is_settled_ = true;               ///< no update waits for its answer
  bool is_leaving_ = false;
  std::chrono::steady_clock::time_point told_until_;  ///< of one that leaves
  std::string leaves_because_;
  bool is_over_ = false;
  int bad_models_ = 0;  ///< in a row
  SiteOutcome outcome_;
  std::deque<LinkEvent> heard_;  ///< while training
  SiteLine line_;                ///< last: it tells the others
};

}  // namespace convoy::trainer
