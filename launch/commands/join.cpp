// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/errors.h"
#include "base/hash.h"
#include "base/paths.h"
#include "base/plain_name.h"
#include "launch/commands/command.h"
#include "launch/commands/job_options.h"
#include "launch/commands/member_options.h"
#include "launch/job/job_file.h"
#include "launch/job/policy_file.h"
#include "launch/process/backend.h"
#include "launch/process/devices.h"
#include "launch/process/hardware.h"
#include "launch/process/signals.h"
#include "launch/process/startup_check.h"
#include "scheduler/net/dialer.h"
#include "trainer/sites/site_check.h"
#include "trainer/sites/site_client.h"

namespace convoy::launch {
namespace {

namespace fs = std::filesystem;
using trainer::SiteOutcome;

std::uint64_t system_entropy() {
  std::uint64_t bits = 0;
  if (::getrandom(&bits, sizeof(bits), 0) != sizeof(bits)) {
    throw std::runtime_error("getrandom() gives nothing");
  }
  return bits;
}

/// "2/5".
trainer::DataShare parse_share(const std::string& text) {
  trainer::DataShare share;
  const char* end = text.data() + text.size();
  const auto index = std::from_chars(text.data(), end, share.index);
  const bool has_slash = index.ec == std::errc() && index.ptr != end && *index.ptr == '/';
  const auto of = has_slash ? std::from_chars(index.ptr + 1, end, share.of) : index;
  require_config(has_slash && of.ec == std::errc() && of.ptr == end && share.of >= 1 &&
                     share.index >= 0 && share.index < share.of,
                 "--share is I/N with 0 <= I < N, such as 2/5, not \"" + text + "\"");
  return share;
}

std::string human_summary(const SiteOutcome& outcome, const std::string& site) {
  const std::string counts = fmt::format(
      "  run         {}\n  rounds      {} here, {} steps\n"
      "  updates     {} taken by the server{}\n{}",
      outcome.run, outcome.rounds, outcome.steps, outcome.updates,
      outcome.given_up > 0 ? fmt::format(", {} given up", outcome.given_up) : "",
      outcome.epsilon ? fmt::format("  epsilon     {:.6f}{}\n", *outcome.epsilon,
                                    outcome.is_insecure ? ", INSECURE: noise from a seed" : "")
                      : "");
  if (outcome.kind == SiteOutcome::Kind::kLeft) {
    return fmt::format("{} has left: {}\n{}", site, outcome.reason, counts);
  }
  if (outcome.kind == SiteOutcome::Kind::kStopped) {
    return fmt::format(
        "{} stopped{}, and is still in the run: start it again with the same "
        "--state\n{}",
        site, outcome.reason.empty() ? "" : " (" + outcome.reason + ")", counts);
  }
  return fmt::format("{} finished\n{}  model       {} ({})\n", site, counts, outcome.model.string(),
                     to_hex(outcome.parameters_hash));
}

class JoinCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "join"; }
  [[nodiscard]] std::string summary() const override {
    return "Take part in a federation over the internet, as one of its sites";
  }

  void add_options(CLI::App& app) override {
    dialing_.add(app);
    app.add_option("--site", dialing_.member.name,
                   "This site's name, as in its certificate NAME.crt; without it the only one in "
                   "--certs");
    app.add_option("--data", data_,
                   "The site's data: file or folder, of the kind that the job names");
    app.add_option("--share", share_,
                   "Train on every N-th sample of them, from number I on: several sites share one "
                   "data set")
        ->type_name("I/N")
        ->capture_default_str();
    app.add_option("--policy", policy_, "What a server may ask of this site (TOML)");
    app.add_option("--state", state_,
                   "Folder of what must outlive this process: the newest update; default: "
                   "convoy-site-NAME")
        ->type_name("DIR")
        ->take_last();
    app.add_option("--model", model_,
                   "Where the run's result is written; default: model.pt in --state");
    app.add_option("--threads", threads_, "Threads that train")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    app.add_option("--set", sets_,
                   "Of the site's own ranks, as a job file says it: communication.KEY=VALUE, "
                   "compression.KEY=VALUE (of gradients between them), run.device=VALUE, "
                   "train.balance=VALUE, train.balance_every=VALUE (repeatable)")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    app.add_flag("--leave", leave_,
                 "When stopped (Ctrl-C, SIGTERM), take no further part; without it the site is "
                 "only away");
    app.add_flag("--check", check_,
                 "Try route, certificate, clock, policy and data against the server's job, and "
                 "train nothing; exits 1 when something fails");
    add_json_option(app, json_);
  }

  [[nodiscard]] Preparation prepare(int ranks) override {
    require_config(ranks == 1 || !check_,
                   "convoy join --check runs in one process: call it without convoy launch");
    (void)choose_backend(own_ranks().communication, true, ranks);
    return {.threads_per_rank = threads_, .checkpoints_on_stop = true};
  }

  [[nodiscard]] int run(Process& process) override {
    (void)prepare(process.place().ranks);
    ::umask(077);  // update, ledger, model: nobody else's
    auto options = client_options();
    if (check_) return check(options);
    signals::stop_on_interrupt();
    signals::stop_on_terminate();
    const trainer::Job ranks = own_ranks();
    if (!comm::mpi::launched() && !asks_for_devices(ranks)) {
      hold_threads(static_cast<int>(threads_));
      join(options);
      return kSuccess;
    }
    options.inside.communication = ranks.communication;
    options.inside.compression = ranks.compression;
    if (sets("train.balance=")) options.inside.balance = ranks.train.balance;
    if (sets("train.balance_every=")) options.inside.balance_every = ranks.train.balance_every;
    run_ranks(process, ranks, [&](comm::Communicator& site) {
      options.inside.placement = process.placement();
      run_rank(site, options);
    });
    return kSuccess;
  }

 private:
  /// Rank 0 talks to the server; the others train with it.
  void run_rank(comm::Communicator& site, trainer::SiteClientOptions options) const {
    if (site.rank() != 0) {
      trainer::serve_site_rank(
          site, options.inside,
          {.own = options.own, .state = options.state, .read_job = options.read_job});
      return;
    }
    trainer::Silo silo(site);
    options.silo = &silo;
    join(options);
  }

  void join(const trainer::SiteClientOptions& options) const {
    trainer::SiteClient client(options, line_dialing());
    const SiteOutcome outcome = client.run();
    const std::string text =
        json_ ? trainer::to_json(outcome) + "\n" : human_summary(outcome, options.own.site);
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

  /// The two functions share the dialer, and nobody else has it: see LineDialing.
  [[nodiscard]] trainer::LineDialing line_dialing() const {
    const auto dialer = std::make_shared<net::Dialer>(dialing_.dialer());
    return {.dial = [dialer](auto user) { return dialer->dial(std::move(user)); },
            .cancel = [dialer] { dialer->cancel(); },
            .waits = {},
            .seed = system_entropy()};
  }

  [[nodiscard]] bool sets(const char* key) const {
    return std::any_of(sets_.begin(), sets_.end(),
                       [key](const std::string& set) { return set.starts_with(key); });
  }

  /// What holds between the ranks of this site, as the job of a run of their own would say it.
  [[nodiscard]] trainer::Job own_ranks() const {
    constexpr std::array kOwn{"communication.", "compression.",
                              "run.device=", "train.balance=", "train.balance_every="};
    for (const auto& set : sets_) {
      const auto begins = [&set](const char* key) { return set.starts_with(key); };
      require_config(std::any_of(kOwn.begin(), kOwn.end(), begins),
                     "--set " + set +
                         ": the server's job says everything but communication, compression, "
                         "run.device and train.balance of this site's own ranks");
    }
    trainer::Job ranks = parse_job("[data]\nname = \"synthetic\"\n[train]\nsteps = 1\n",
                                   "the site's own ranks", sets_);
    require_config(
        ranks.run.device != "mixed",
        "--set run.device=mixed: the ranks of a site train on CPUs or on GPUs, not both");
    ranks.run.threads_per_rank = threads_;
    ranks.communication.local_ranks = 1;
    return ranks;
  }

  [[nodiscard]] int check(const trainer::SiteClientOptions& options) const {
    const auto checks = trainer::check_site(options, dialing_.dialer());
    const std::string text = json_ ? trainer::to_json(checks) + "\n" : trainer::to_text(checks);
    std::fputs(text.c_str(), stdout);
    return trainer::all_ok(checks) ? kSuccess : kFailedRun;
  }

  [[nodiscard]] trainer::SiteClientOptions client_options() const {
    const std::string site = dialing_.member.own_name();
    const fs::path state = state_.empty() ? fs::path("convoy-site-" + site) : fs::path(state_);
    const auto policy = policy_.empty() ? trainer::SitePolicy{} : load_policy(policy_);
    require_config(policy.ledger.empty() || !is_inside(policy.ledger, state),
                   policy_ + ": privacy.ledger must lie outside --state " + state.string() +
                       ": what is spent stays spent when that is deleted");
    return {
        .own = {.site = site,
                .data_path = data_.empty() ? "" : fs::absolute(data_).string(),
                .share = parse_share(share_),
                .policy = policy},
        .state = state,
        .model = model_.empty() ? state / "model.pt" : fs::path(model_),
        .threads = threads_,
        .instance = to_hex(system_entropy()),
        .software = "convoy " + convoy_version(),
        .leave_on_stop = leave_,
        .stop = &signals::stop(),
        .read_job = [](const std::string& toml) { return parse_job(toml, "the server's job"); }};
  }

  DialingOptions dialing_;
  std::string data_;
  std::string share_ = "0/1";
  std::string policy_;
  std::string state_;
  std::string model_;
  std::vector<std::string> sets_;
  std::int64_t threads_ = 1;
  bool leave_ = false;
  bool check_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_join_command() { return std::make_unique<JoinCommand>(); }

}  // namespace convoy::launch
