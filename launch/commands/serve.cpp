// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/errors.h"
#include "base/file.h"
#include "base/log.h"
#include "base/plain_name.h"
#include "launch/commands/command.h"
#include "launch/commands/job_options.h"
#include "launch/commands/member_options.h"
#include "launch/commands/privacy_line.h"
#include "launch/job/job_file.h"
#include "launch/process/allocator.h"
#include "launch/process/backend.h"
#include "launch/process/descriptors.h"
#include "launch/process/devices.h"
#include "launch/process/run_directory.h"
#include "launch/process/signals.h"
#include "launch/process/startup_check.h"
#include "scheduler/journal/folder_lock.h"
#include "trainer/federated/federation.h"
#include "trainer/sites/data_schema.h"
#include "trainer/sites/site_server.h"
#include "trainer/trainer.h"

namespace convoy::launch {
namespace {

namespace fs = std::filesystem;

std::string human_summary(const trainer::FederatedSummary& summary, const fs::path& run_dir) {
  const auto& counts = summary.schedule.counts;
  const std::string last =
      summary.run.interrupted
          ? fmt::format("go on with: convoy serve --resume {} --listen ...\n", run_dir.string())
          : fmt::format("model in {}/model.pt, who contributed in {}/audit.jsonl\n",
                        run_dir.string(), run_dir.string());
  return fmt::format(
      "{} after {} updates and {} versions, {:.1f} s\n"
      "  accuracy    {:.4f}\n  loss        {:.4f}\n  local steps {}\n"
      "  late        {}, refused {}, staleness {:.2f} on average\n{}  model       {}\n{}",
      summary.run.interrupted ? "stopped" : "finished", summary.updates, summary.versions,
      summary.federation_seconds, summary.run.accuracy, summary.run.loss, summary.run.steps,
      counts.late, counts.refused, summary.schedule.mean_staleness, privacy_line(summary),
      summary.run.parameters_hash, last);
}

/// What a server knows of the sites' data, and evaluates on.
struct ServerData {
  trainer::DataInfo info;
  std::shared_ptr<const trainer::Dataset> test;  ///< null: none here
};

ServerData load_data(const trainer::Job& job) {
  if (job.sites.evaluate != "server") return {.info = trainer::info_without_data(job.data)};
  const trainer::Datasets datasets = trainer::load_datasets(job.data, job.run.seed);
  return {.info = datasets.train->info(), .test = datasets.test};
}

/// What sites need to know: nothing of the server's files, nor who else takes part.
trainer::Job for_sites(trainer::Job job) {
  job.run.output.clear();
  job.data.path.clear();
  job.model.init.clear();
  job.model.torchscript = fs::path(job.model.torchscript).filename();
  job.privacy.ledger.clear();
  job.sites.roster.clear();
  return job;
}

/// @throws ConfigError where it is longer than a message.
std::string offered_text(const trainer::Job& job) {
  std::string text = job_text(for_sites(job));
  require_config(text.size() <= net::kMaxJobBytes,
                 fmt::format("the job has {} bytes as text, and sites can be sent {}: "
                             "data.columns or data.labels are too long",
                             text.size(), net::kMaxJobBytes));
  return text;
}

/// Null where the model is one of convoy's own.
net::SharedBytes torchscript_of(const trainer::Job& job) {
  if (job.model.torchscript.empty()) return nullptr;
  return std::make_shared<const std::vector<std::byte>>(read_file(job.model.torchscript));
}

class ServeCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "serve"; }
  [[nodiscard]] std::string summary() const override {
    return "Serve a federation to sites that join over the internet";
  }

  void add_options(CLI::App& app) override {
    app.add_option("JOB", job_file_, "Job file (TOML); with --resume D, D/job.toml stands in");
    app.add_option("--listen", listen_, "Address and port to accept sites on; port 0: any free one")
        ->type_name("HOST:PORT")
        ->required();
    add_set_option(app, sets_);
    app.add_option("--run-dir", run_dir_,
                   "Folder for all results, the log and the spool; default: run.output, else "
                   "runs/<name>, numbered where that is taken")
        ->type_name("D");
    app.add_option("--resume", resume_, "Go on with run directory D, after a stop or a crash")
        ->type_name("D");
    app.add_flag("--without-old-log", without_old_log_,
                 "With --resume: the log was lost; go on from the newest checkpoint without it");
    member_.add_folder(app);
    member_.add_name(app, "the server");
    add_json_option(app, json_);
  }

  [[nodiscard]] Preparation prepare(int ranks) override {
    require_config(ranks == 1, "convoy serve is one process");
    check(load());
    return {.threads_per_rank = 1, .checkpoints_on_stop = true};
  }

  [[nodiscard]] int run(Process& process) override {
    require_config(process.place().ranks == 1, "convoy serve is one process");
    const trainer::Job job = load();
    check(job);
    signals::stop_on_interrupt();
    return_large_blocks();
    warn_of(job);
    (void)raise_descriptor_limit();  // the listener says when it has run out
    ::umask(077);                    // log, spool, checkpoints: nobody else's
    run_ranks(process, job, [&](comm::Communicator&) { serve(job); });
    return kSuccess;
  }

 private:
  [[nodiscard]] trainer::Job load() const {
    require_config(!job_file_.empty() || !resume_.empty(),
                   "serve needs a job file (see convoy serve --help)");
    require_config(resume_.empty() || run_dir_.empty(),
                   "--resume D goes on in D; leave --run-dir out");
    require_config(!without_old_log_ || !resume_.empty(), "--without-old-log needs --resume D");
    const fs::path file = job_file_.empty() ? fs::path(resume_) / "job.toml" : fs::path(job_file_);
    std::vector<std::string> sets = sets_;
    sets.emplace_back("federation.clock=live");  // sites are as fast as they are
    trainer::Job job = load_job(file, sets);
    require_config(!asks_for_devices(job),
                   "serve needs no GPU: leave run.device and "
                   "communication.backend to the sites");
    job.communication.backend = "local";
    job.communication.local_ranks = 1;
    return job;
  }

  static void check_roster(const std::vector<std::string>& roster) {
    for (auto name = roster.begin(); name != roster.end(); ++name) {
      require_plain_name(*name, "site");
      require_config(std::find(roster.begin(), name, *name) == name,
                     "sites.roster names " + *name + " twice");
    }
  }

  static void check(const trainer::Job& job) {
    trainer::check_federated_training(job);
    trainer::check_sites_data(job.data);
    if (job.sites.evaluate == "server") trainer::check_data(job.data);
    check_roster(job.sites.roster);
    require_config(
        job.sites.roster.empty() || std::ssize(job.sites.roster) >= job.federation.clients,
        fmt::format("sites.roster has {} names, and federation.clients = {}",
                    job.sites.roster.size(), job.federation.clients));
    (void)offered_text(job);
    require_config(job.sites.min_clients <= job.federation.clients,
                   "sites.min_clients is more than federation.clients");
  }

  static void warn_of(const trainer::Job& job) {
    if (job.privacy.is_on() && job.privacy.insecure_seed != 0) {
      logger("trainer")->warn("privacy.insecure_seed: the noise of this run protects nobody");
    }
    if (job.sites.evaluate == "clients" && job.federation.validation == 0.0) {
      logger("trainer")->warn(
          "nobody judges the model: sites.evaluate = \"clients\", and federation.validation = 0");
    }
  }

  [[nodiscard]] fs::path place(const trainer::Job& job) const {
    if (resume_.empty()) return fresh_run_dir(job.run, run_dir_);
    require_config(fs::exists(fs::path(resume_) / "run-id"),
                   resume_ + " holds no run of convoy serve (there is no run-id)");
    return resume_;
  }

  [[nodiscard]] trainer::SiteServerOptions options(const trainer::Job& job,
                                                   const ServerData& data) const {
    const trainer::DataSchema schema = trainer::schema_of(job.data, data.info);
    const net::HostPort listen = net::parse_host_port(listen_, "--listen", 0);
    return {.listener = {.host = listen.host,
                         .port = listen.port,
                         .own = member_.credentials(),
                         .peers = {.authorities = member_.authorities(),
                                   .lists = member_.lists(),
                                   .roles = {net::Role::kSite, net::Role::kOperator}},
                         .limits = {}},
            .name = member_.own_name(),
            .job_text = offered_text(job),
            .schema_hash = trainer::hash_of(schema),
            .schema = trainer::to_text(schema),
            .torchscript = torchscript_of(job),
            .without_old_log = without_old_log_,
            .software = "convoy " + convoy_version(),
            .on_listening = [this, listen](std::uint16_t port) {
              if (json_) return;
              std::fputs(fmt::format("listening on {}:{}\n", listen.host, port).c_str(), stderr);
            }};
  }

  void serve(const trainer::Job& job) const {
    const fs::path run_dir = place(job);
    const ServerData data = load_data(job);
    trainer::SiteServerOptions own = options(job, data);
    const auto before = names_in(run_dir);
    trainer::make_run_dir(run_dir);
    // Before anything in there is touched: another server may be at it.
    const scheduler::journal::FolderLock lock(run_dir);
    FailedStart failed(run_dir, before);
    if (!resume_.empty()) failed.has_started();
    const trainer::RunRequest request{.run_dir = run_dir,
                                      .resume = !resume_.empty(),
                                      .checkpoint = {},
                                      .stop = &signals::stop(),
                                      .quiet = json_};
    write_file_atomic(run_dir / "job.toml", job_text(job));
    trainer::SiteServer server(job, request, std::move(own), data.info, data.test);
    failed.has_started();
    const trainer::FederatedSummary result = server.run();
    const std::string text =
        json_ ? trainer::to_json(result) + "\n" : human_summary(result, run_dir);
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

  std::string job_file_;
  std::string listen_;
  std::vector<std::string> sets_;
  std::string run_dir_;
  std::string resume_;
  bool without_old_log_ = false;
  MemberOptions member_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_serve_command() { return std::make_unique<ServeCommand>(); }

}  // namespace convoy::launch
