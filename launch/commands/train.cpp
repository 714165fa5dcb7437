// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <cstdio>
#include <filesystem>

#include "base/errors.h"
#include "base/file.h"
#include "compress/reduce/plan_json.h"
#include "launch/commands/command.h"
#include "launch/commands/job_options.h"
#include "launch/commands/same_job.h"
#include "launch/commands/same_place.h"
#include "launch/commands/trace_options.h"
#include "launch/job/job_file.h"
#include "launch/process/backend.h"
#include "launch/process/run_directory.h"
#include "launch/process/signals.h"
#include "trainer/together.h"
#include "trainer/trainer.h"

namespace convoy::launch {
namespace {

namespace fs = std::filesystem;

std::string human_summary(const trainer::Summary& summary, const fs::path& run_dir) {
  std::string text = fmt::format(
      "{} after {} steps ({} epochs) on {} rank{}\n"
      "  accuracy    {:.4f}\n  loss        {:.4f}\n  samples/s   {:.1f}\n  bytes sent  {}\n",
      summary.interrupted ? "stopped" : "finished", summary.steps, summary.epochs, summary.ranks,
      summary.ranks == 1 ? "" : "s", summary.accuracy, summary.loss, summary.samples_per_second,
      summary.bytes_sent);
  if (summary.compression_ratio != 1.0) {
    text +=
        fmt::format("  gradients   {:.1f}x fewer bytes than dense\n", summary.compression_ratio);
  }
  if (summary.skipped_steps > 0) {
    text += fmt::format("  skipped     {} steps that were not finite\n", summary.skipped_steps);
  }
  const std::string dir = run_dir.string();
  if (summary.interrupted) return text + fmt::format("go on with: convoy train --resume {}\n", dir);
  return text + fmt::format("model in {}/model.pt\n", dir);
}

class TrainCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "train"; }
  [[nodiscard]] std::string summary() const override { return "Train a model as a job file says"; }

  void add_options(CLI::App& app) override {
    app.add_option("JOB", job_file_, "Job file (TOML); with --resume D, D/job.toml stands in");
    add_set_option(app, sets_);
    app.add_option("--run-dir", run_dir_,
                   "Folder for all results; default: run.output, else runs/<name>, numbered "
                   "where that is taken")
        ->type_name("D");
    resume_option_ =
        app.add_option("--resume", resume_,
                       "Go on from the newest checkpoint of run directory D, or from checkpoint "
                       "folder D; without D: of the newest run of that name")
            ->type_name("D")
            ->expected(0, 1);
    app.add_option("--replay-plans", replay_plans_,
                   "Follow the plans of an earlier run (its plans.jsonl) instead of making any")
        ->type_name("FILE");
    trace_.add_to(app);
    add_json_option(app, json_);
  }

  [[nodiscard]] Preparation prepare(int ranks) override {
    settle_words();
    const trainer::Job job = load();
    const Backend backend = choose_backend(job.communication, true, ranks);
    (void)place_of_run(job);
    const auto local_ranks = static_cast<int>(job.communication.local_ranks);
    trainer::check_job(job, backend == Backend::kLocal ? local_ranks : ranks);
    if (!replay_plans_.empty()) (void)compress::read_plans(replay_plans_);
    (void)trace_.settle();
    return {.threads_per_rank = job.run.threads_per_rank, .checkpoints_on_stop = true};
  }

  [[nodiscard]] int run(Process& process) override {
    settle_words();
    const trainer::Job job = load();
    signals::stop_on_interrupt();
    run_ranks(process, job,
              [&](comm::Communicator& communicator) { run_rank(communicator, process, job); });
    return kSuccess;
  }

 private:
  /// `--resume job.toml` gives CLI11 the job as the folder.
  void settle_words() {
    resuming_ = resume_option_->count() > 0;
    if (!job_file_.empty() || !fs::is_regular_file(resume_)) return;
    job_file_.swap(resume_);
  }

  [[nodiscard]] trainer::Job load() const {
    if (!job_file_.empty()) return load_job(job_file_, sets_);
    require_config(!resume_.empty(), "train needs a job file (see convoy train --help)");
    return load_job(resume_point(resume_).run_dir / "job.toml", sets_);
  }

  [[nodiscard]] ResumePoint resume_from(const trainer::Job& job) const {
    require_config(resume_.empty() || run_dir_.empty(),
                   "--resume D goes on in D; leave --run-dir out");
    return resume_point(resume_.empty() ? newest_run_dir(job.run, run_dir_) : fs::path(resume_));
  }

  [[nodiscard]] ResumePoint place_of_run(const trainer::Job& job) const {
    if (resuming_) return resume_from(job);
    return {.run_dir = fresh_run_dir(job.run, run_dir_)};
  }

  void run_rank(comm::Communicator& communicator, const Process& process,
                const trainer::Job& job) const {
    require_same_job(communicator, job);
    trainer::together(communicator, [&] { trainer::check_job(job, communicator.size()); });
    const ResumePoint place = same_place(communicator, [&] { return place_of_run(job); });
    const trainer::RunRequest request{
        .run_dir = place.run_dir,
        .resume = resuming_,
        .checkpoint = place.checkpoint,
        .stop = &signals::stop(),
        .quiet = json_,
        .replay_plans = replay_plans_,
        .trace = trace_.settle(),
        .host = process.host(),
        .placement = process.placement(),
        .on_accepted = [&] { write_file_atomic(place.run_dir / "job.toml", job_text(job)); }};
    const trainer::Summary summary = trainer::train(communicator, job, request);
    if (communicator.rank() != 0) return;
    const std::string text =
        json_ ? trainer::to_json(summary) + "\n" : human_summary(summary, place.run_dir);
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

  std::string job_file_;
  std::vector<std::string> sets_;
  std::string run_dir_;
  std::string resume_;
  std::string replay_plans_;
  TraceOptions trace_;
  CLI::Option* resume_option_ = nullptr;
  bool resuming_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_train_command() { return std::make_unique<TrainCommand>(); }

}  // namespace convoy::launch
