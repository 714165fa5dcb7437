// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/federated_run.h"

#include <chrono>
#include <numeric>
#include <vector>

#include "base/errors.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "trainer/federated/emulation.h"
#include "trainer/federated/scenario_json.h"
#include "trainer/parallel/replicas.h"

namespace convoy::trainer {
namespace {

std::unique_ptr<FederationClock> make_clock(const FederationConfig& config, FederatedServer& server,
                                            ClientPool& clients,
                                            const scheduler::Scenario& scenario) {
  const double liveness = config.liveness_seconds();
  if (config.clock == "virtual") return make_virtual_clock(server, clients, scenario, liveness);
  return make_wall_clock(server, clients, scenario,
                         {.throttled = config.clock == "throttled", .liveness_seconds = liveness});
}

}  // namespace

FederatedRun::FederatedRun(const Job& job, const RunRequest& request, const FederationData& data,
                           std::unique_ptr<ClientPool> clients, const compress::UpdateCodec* codec,
                           double step_seconds)
    : job_(job),
      request_(request),
      data_(data),
      samples_(data.samples(job)),
      model_(make_model(job.model, data.datasets.train->info(), job.run.seed)),
      evaluation_(make_model(job.model, data.datasets.train->info(), job.run.seed),
                  *data.datasets.test, job.train.evaluate_batch),
      step_seconds_(step_seconds),
      scenario_(make_scenario(job.federation, job.run.name, samples_, job.run.seed, step_seconds)),
      server_(
          job.federation, *model_, [this](std::string_view line) { events_->append(line); }, codec,
          job.run.seed),
      clients_(std::move(clients)),
      checkpoints_(job, request, *clients_,
                   make_model(job.model, data.datasets.train->info(), job.run.seed)),
      clock_(make_clock(job.federation, server_, *clients_, scenario_)) {
  server_.set_callbacks([this](Assignment assignment) { clock_->dispatch(std::move(assignment)); },
                        [this](const NewModel& made) { on_new_model(made); },
                        [this](std::int64_t client, const std::string&) { clients_->take_back(client); });
  write_file_atomic(request.run_dir / "partition.txt", format_table(data.counts));
}

void FederatedRun::start() {
  events_ = std::make_unique<EventsFile>(request_.run_dir / "events.jsonl", 0);
  events_->append(scheduler::to_line(job_.federation.policy));
  metrics_ =
      std::make_unique<FederatedMetrics>(request_.run_dir, job_.metrics.jsonl, request_.quiet);
  for (std::int64_t client = 0; client < job_.federation.clients; ++client) {
    server_.join(0.0, client, samples_[static_cast<std::size_t>(client)]);
  }
}

/// A run that only `rounds` ends learns how long it is by being run: then it is written again.
void FederatedRun::write_scenario() const {
  scheduler::Scenario scenario = scenario_;
  if (!scenario.arrivals && !scenario.seconds && updates() > 0) {
    if (ended_by_timer_) {
      scenario.seconds = server_.policy().now();
    } else {
      scenario.arrivals = updates();
    }
  }
  write_file_atomic(request_.run_dir / "scenario.json", scenario_json(scenario) + "\n");
}

FederatedSummary FederatedRun::run() {
  if (request_.resume) {
    restore();
  } else {
    start();
  }
  write_scenario();
  std::int64_t before = updates();
  double time = server_.policy().now();
  while (!finished() && !summary_.run.interrupted && clock_->step()) {
    // A step in which nothing came leaves the policy as it was.
    const bool timer = updates() == before && server_.policy().now() != time;
    ended_by_timer_ = timer || (ended_by_timer_ && updates() == before);
    before = updates();
    time = server_.policy().now();
    after_event();
  }
  return finish();
}

void FederatedRun::after_event() {
  stop_where_nothing_comes_of_it();
  evaluate_if_due();
  checkpoints_.finish(false);
  const std::int64_t every = job_.checkpoint.every_steps;
  if (every > 0 && updates() >= saved_updates_ + every) begin_checkpoint();
  summary_.run.interrupted = request_.stop != nullptr && *request_.stop;
}

/// Training that has diverged for good would otherwise go on for ever where only rounds end the
/// run.
void FederatedRun::stop_where_nothing_comes_of_it() {
  if (job_.federation.updates > 0 || job_.federation.seconds > 0.0) return;
  const scheduler::Counts& counts = server_.policy().counts();
  const std::int64_t accepted = counts.received - counts.refused;
  if (accepted != accepted_) {
    accepted_ = accepted;
    refused_before_ = counts.refused;
    return;
  }
  const std::int64_t in_a_row = counts.refused - refused_before_;
  if (in_a_row <= 2 * job_.federation.clients) return;
  throw std::runtime_error("the last " + std::to_string(in_a_row) +
                           " updates were all refused, as the warnings say (where they are not "
                           "finite, a smaller train.optimizer.lr or train.clip_norm may help)");
}

bool FederatedRun::finished() const {
  const FederationConfig& end = job_.federation;
  return (end.updates > 0 && updates() >= end.updates) ||
         (end.rounds > 0 && server_.aggregator().version() >= end.rounds);
}

void FederatedRun::on_new_model(const NewModel& made) {
  metrics_->new_model(made, updates());
  for (const auto& member : made.members) {
    summary_.run.steps += member.contribution.local_steps;
    summary_.run.samples += member.samples;
  }
}

void FederatedRun::evaluate_if_due() {
  take_evaluation(false);
  if (evaluation_.running()) return;
  const auto& config = job_.federation;
  const std::int64_t every = config.evaluate_every > 0 ? config.evaluate_every : config.clients;
  if (updates() - evaluated_updates_ < every) return;
  if (evaluated_version_ != server_.aggregator().version()) evaluate();
}

/// Under the virtual clock the run waits for what comes of it: nobody needs an answer, and the
/// lines of metrics.jsonl stand in one order. In real time clients are answered meanwhile.
void FederatedRun::evaluate() {
  evaluated_updates_ = updates();
  evaluated_version_ = server_.aggregator().version();
  evaluation_.start(
      server_.aggregator().model(),
      {.time = clock_->now(), .version = evaluated_version_, .updates = evaluated_updates_});
  if (job_.federation.clock == "virtual") take_evaluation(true);
}

void FederatedRun::take_evaluation(bool wait) {
  const auto done = evaluation_.take(wait);
  if (!done) return;
  done_updates_ = done->updates;
  summary_.run.loss = done->found.loss;
  summary_.run.accuracy = done->found.accuracy;
  metrics_->evaluation(done->found, done->time, done->version, done->updates);
}

/// Under the virtual clock the run waits for it, so that the same ones are written whatever the
/// machine does. In real time clients are answered meanwhile.
void FederatedRun::begin_checkpoint() {
  if (checkpoints_.running()) return;
  events_->sync();
  checkpoints_.begin({.server = server_.save(),
                      .clock = clock_->save(),
                      .residuals = {},
                      .updates = updates(),
                      .steps = summary_.run.steps,
                      .samples = summary_.run.samples,
                      .seconds = summary_.run.seconds + seconds_here(),
                      .step_seconds = step_seconds_,
                      .events_bytes = events_->bytes(),
                      .evaluated_updates = done_updates_},
                     *server_.aggregator().model());
  saved_updates_ = updates();
  checkpoints_.finish(job_.federation.clock == "virtual");
}

void FederatedRun::restore() {
  const FederationSnapshot saved = checkpoints_.load();
  events_ = std::make_unique<EventsFile>(request_.run_dir / "events.jsonl", saved.events_bytes);
  step_seconds_ = saved.step_seconds;
  scenario_ = make_scenario(job_.federation, job_.run.name, samples_, job_.run.seed, step_seconds_);
  server_.load(saved.server);
  metrics_ =
      std::make_unique<FederatedMetrics>(request_.run_dir, job_.metrics.jsonl, request_.quiet,
                                         saved.updates, server_.aggregator().version());
  clients_->restore_residuals(saved.residuals);
  clock_->resume(saved.clock, server_.outstanding());
  summary_.run.steps = saved.steps;
  summary_.run.samples = saved.samples;
  summary_.run.seconds = saved.seconds;
  evaluated_updates_ = done_updates_ = saved.evaluated_updates;
  saved_updates_ = saved.updates;
}

void FederatedRun::end_clients() {
  for (const auto client : clients_->end()) {
    logger("trainer")->warn("the run has ended without client {}, which gives no sign of life",
                            client);
  }
}

double FederatedRun::seconds_here() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

FederatedSummary FederatedRun::finish() {
  checkpoints_.finish(true);
  begin_checkpoint();  // before the flush: a resumed run goes on as if it had not been
  checkpoints_.finish(true);
  summary_.federation_seconds = clock_->now();
  server_.shut_down(summary_.federation_seconds);  // may settle a group and give it work
  clients_->stop();
  take_evaluation(true);
  if (evaluated_version_ != server_.aggregator().version()) evaluate();
  take_evaluation(true);
  write_scenario();
  put_state(*server_.aggregator().model(), *model_);
  model_->save((request_.run_dir / "model.pt").string());

  Summary& run = summary_.run;
  run.seconds += seconds_here();
  run.train_loss = metrics_->train_loss();
  run.epochs = run.samples / std::accumulate(samples_.begin(), samples_.end(), std::int64_t{0});
  run.samples_per_second = static_cast<double>(run.samples) / run.seconds;
  run.parameters_hash = to_hex(parameters_hash(model_->parameters()));
  run.skipped_steps = 0;
  summary_.clock = job_.federation.clock;
  summary_.versions = server_.aggregator().version();
  summary_.updates = updates();
  summary_.heterogeneity = heterogeneity(data_.counts);
  summary_.client_bytes = server_.bytes();
  for (const auto& [client, bytes] : summary_.client_bytes) {
    summary_.bytes_down += bytes.down;
    summary_.bytes_up += bytes.up;
  }
  run.bytes_sent = summary_.bytes_down + summary_.bytes_up;
  summary_.server_memory = server_.peak_memory();
  summary_.answers = clock_->answers();
  summary_.schedule = server_.schedule();
  summary_.counts = server_.policy().counts();
  summary_.pending = server_.policy().pending();
  if (job_.privacy.is_on()) {
    summary_.privacy = FederationPrivacy{.config = job_.privacy, .sites = server_.privacy()};
  }
  return summary_;
}

}  // namespace convoy::trainer
