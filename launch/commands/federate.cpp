// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/errors.h"
#include "base/file.h"
#include "launch/commands/command.h"
#include "launch/commands/job_options.h"
#include "launch/commands/privacy_line.h"
#include "launch/commands/same_job.h"
#include "launch/commands/same_place.h"
#include "launch/job/job_file.h"
#include "launch/process/backend.h"
#include "launch/process/devices.h"
#include "launch/process/run_directory.h"
#include "launch/process/signals.h"
#include "trainer/federated/federation.h"
#include "trainer/federated/federation_privacy.h"
#include "trainer/together.h"

namespace convoy::launch {
namespace {

namespace fs = std::filesystem;

std::string human_summary(const trainer::FederatedSummary& summary, const fs::path& run_dir) {
  const auto& counts = summary.schedule.counts;
  const std::string last =
      summary.run.interrupted
          ? fmt::format("go on with: convoy federate --resume {}\n", run_dir.string())
          : fmt::format("model in {}/model.pt\n", run_dir.string());
  return fmt::format(
      "{} after {} updates and {} versions, {:.1f} s ({} clock)\n"
      "  accuracy    {:.4f}\n  loss        {:.4f}\n  local steps {}\n"
      "  late        {}, refused {}, staleness {:.2f} on average\n  idle        {:.1f} %\n"
      "{}{}",
      summary.run.interrupted ? "stopped" : "finished", summary.updates, summary.versions,
      summary.federation_seconds, summary.clock, summary.run.accuracy, summary.run.loss,
      summary.run.steps, counts.late, counts.refused, summary.schedule.mean_staleness,
      100.0 * summary.schedule.idle_share(), privacy_line(summary), last);
}

class FederateCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "federate"; }
  [[nodiscard]] std::string summary() const override {
    return "Train one model with clients that keep their data";
  }

  void add_options(CLI::App& app) override {
    app.add_option("JOB", job_file_, "Job file (TOML); with --resume D, D/job.toml stands in");
    add_set_option(app, sets_);
    app.add_option("--run-dir", run_dir_,
                   "Folder for all results; default: run.output, else runs/<name>, numbered "
                   "where that is taken")
        ->type_name("D");
    app.add_option(
           "--resume", resume_,
           "Go on from the newest checkpoint of run directory D, or from checkpoint folder D")
        ->type_name("D");
    add_json_option(app, json_);
  }

  [[nodiscard]] Preparation prepare(int ranks) override {
    const trainer::Job job = load();
    (void)choose_backend(job.communication, true, ranks);
    (void)place_of_run(job);
    trainer::check_federation(job, ranks);
    trainer::check_ledgers(job);
    return {.threads_per_rank = job.run.threads_per_rank, .checkpoints_on_stop = true};
  }

  [[nodiscard]] int run(Process& process) override {
    const trainer::Job job = load();
    signals::stop_on_interrupt();
    run_ranks(process, job, [&](comm::Communicator& communicator) { run_rank(communicator, job); });
    return kSuccess;
  }

 private:
  /// Threads of one process are clients here, not ranks.
  [[nodiscard]] trainer::Job load() const {
    require_config(!job_file_.empty() || !resume_.empty(),
                   "federate needs a job file (see convoy federate --help)");
    require_config(resume_.empty() || run_dir_.empty(),
                   "--resume D goes on in D; leave --run-dir out");
    const fs::path file =
        job_file_.empty() ? resume_point(resume_).run_dir / "job.toml" : fs::path(job_file_);
    trainer::Job job = load_job(file, sets_);
    require_config(!asks_for_devices(job),
                   "federate trains on CPUs: run.device = \"" + job.run.device +
                       "\" and communication.backend = \"" + job.communication.backend +
                       "\" are for convoy train");
    job.communication.local_ranks = 1;
    return job;
  }

  [[nodiscard]] ResumePoint place_of_run(const trainer::Job& job) const {
    if (!resume_.empty()) return resume_point(resume_);
    return {.run_dir = fresh_run_dir(job.run, run_dir_)};
  }

  void run_rank(comm::Communicator& communicator, const trainer::Job& job) const {
    require_same_job(communicator, job);
    trainer::together(communicator, [&] { trainer::check_federation(job, communicator.size()); });
    const ResumePoint place = same_place(communicator, [&] { return place_of_run(job); });
    const fs::path& run_dir = place.run_dir;
    const trainer::RunRequest request{
        .run_dir = run_dir,
        .resume = !resume_.empty(),
        .checkpoint = place.checkpoint,
        .stop = &signals::stop(),
        .quiet = json_,
        .on_accepted = [&] { write_file_atomic(run_dir / "job.toml", job_text(job)); }};
    const trainer::FederatedSummary result = trainer::federate(communicator, job, request);
    if (communicator.rank() != 0) return;
    const std::string text =
        json_ ? trainer::to_json(result) + "\n" : human_summary(result, run_dir);
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

  std::string job_file_;
  std::vector<std::string> sets_;
  std::string run_dir_;
  std::string resume_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_federate_command() { return std::make_unique<FederateCommand>(); }

}  // namespace convoy::launch
