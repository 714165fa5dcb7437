// SPDX-License-Identifier: Apache-2.0
// How a SiteFederation begins, is saved and ends.
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "base/errors.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "trainer/federated/update_layers.h"
#include "trainer/parallel/replicas.h"
#include "trainer/privacy/private_model.h"
#include "trainer/sites/site_federation.h"

namespace convoy::trainer {
namespace {

namespace journal = scheduler::journal;
using Json = nlohmann::json;

/// Uploads that nobody goes on with, and payloads whose release a crash has cut off.
constexpr std::chrono::hours kStale{24};
/// Between two attempts at a checkpoint that cannot be written.
constexpr std::chrono::seconds kSaveAgain{30};

/// Residuals are with the sites, in their outboxes.
class NoResiduals final : public ResidualOwner {
 public:
  void ask_for_residuals() override {}
  [[nodiscard]] std::optional<std::vector<NamedTensor>> residuals() override {
    return std::vector<NamedTensor>{};
  }
};

/// JSON has no NaN.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

}  // namespace

SiteFederation::SiteFederation(const Job& job, const RunRequest& request, const DataInfo& info,
                               std::shared_ptr<const Dataset> test, bool without_old_log)
    : job_(job),
      request_(request),
      model_(make_model(job.model, info, job.run.seed)),
      shape_(shape_of(*model_)),
      codec_(make_update_codec(job.compression, model_->parameters())),
      test_(std::move(test)),
      run_id_(journal::run_id_in(request.run_dir / "run-id")),
      store_(request.run_dir / "updates", {.keep_updates = job.sites.keep_updates}),
      no_residuals_(std::make_unique<NoResiduals>()),
      checkpoints_(job, request, *no_residuals_, make_model(job.model, info, job.run.seed)) {
  if (job.privacy.is_on()) privacy::require_private(*model_);
  if (test_) {
    evaluation_.emplace(make_model(job.model, info, job.run.seed), *test_,
                        job.train.evaluate_batch);
  }
  open(info, without_old_log);
}

SiteFederation::~SiteFederation() = default;

void SiteFederation::open(const DataInfo& info, bool without_old_log) {
  const auto initial = make_model(job_.model, info, job_.run.seed);
  server_ = std::make_unique<FederatedServer>(
      job_.federation, *initial, [this](std::string_view line) { events_->append(line); },
      codec_.get(), job_.run.seed);
  server_->set_callbacks(
      [this](Assignment one) { on_assignment(std::move(one)); },
      [this](const NewModel& made) { on_new_model(made); },
      [this](std::int64_t client, const std::string& reason) { on_refused(client, reason); });
  server_->set_names([this](std::int64_t client) { return "site " + book_.name_of(client); });
  std::string saved;
  std::optional<Sha256> audit_head;
  const bool has_checkpoint = !list_checkpoints(request_.run_dir / "checkpoints").empty();
  if (has_checkpoint) {
    saved = restore(checkpoints_.load(), audit_head);
  } else {
    events_ = std::make_unique<EventsFile>(request_.run_dir / "events.jsonl", 0);
    events_->append(scheduler::to_line(job_.federation.policy));
    metrics_ =
        std::make_unique<FederatedMetrics>(request_.run_dir, job_.metrics.jsonl, request_.quiet);
  }
  audit_ = std::make_unique<journal::AuditLog>(request_.run_dir / "audit.jsonl", audit_head);
  journal_ = std::make_unique<journal::Journal>(
      request_.run_dir / "log", run_id_, saved,
      [this](Sequence sequence, const Entry& entry) { replay(sequence, entry); },
      journal::JournalOptions{.clock = {}, .without_old_log = without_old_log});
  assignments_.clear();  // whoever is still there says what it is doing when it joins again
  // What a site has begun to send, or has sent and nobody has logged, it need not send again.
  const std::set<std::pair<std::string, std::string>> logged(unreleased_.begin(),
                                                             unreleased_.end());
  store_.clean(kStale, [&](const std::string& site, const std::string& id) {
    return job_.sites.keep_updates || logged.contains({site, id});
  });
  journal_->start();
  if (has_begun()) {
    logger("trainer")->info("going on with the run: version {}, {} updates received, {} sites",
                            server_->aggregator().version(), updates(), book_.all().size());
  }
  // Whoever begins anew must not be asked to do so at every start.
  if (without_old_log && !write_checkpoint(journal_->save())) {
    throw std::runtime_error("no checkpoint can be written, and there is no log to go on without");
  }
}

void SiteFederation::replay(Sequence sequence, const Entry& entry) {
  sequence_ = sequence;
  audit_part_ = 0;
  if (const auto* input = std::get_if<journal::InputEntry>(&entry)) apply(*input);
  if (const auto* command = std::get_if<journal::CommandEntry>(&entry)) apply(*command);
  if (const auto* update = std::get_if<journal::UpdateEntry>(&entry)) apply(*update, read(*update));
  write_notes();
}

std::string SiteFederation::restore(const FederationSnapshot& saved,
                                    std::optional<Sha256>& audit_head) {
  events_ = std::make_unique<EventsFile>(request_.run_dir / "events.jsonl", saved.events_bytes);
  server_->load(saved.server);
  metrics_ =
      std::make_unique<FederatedMetrics>(request_.run_dir, job_.metrics.jsonl, request_.quiet,
                                         saved.updates, server_->aggregator().version());
  summary_.run.steps = saved.steps;
  summary_.run.samples = saved.samples;
  seconds_before_ = saved.seconds;
  evaluated_updates_ = done_updates_ = saved.evaluated_updates;
  saved_updates_ = saved.updates;
  try {
    const Json json = Json::parse(saved.clock);
    book_.load(json.at("sites"));
    if (!json.at("begun_at").is_null()) begun_at_ = json.at("begun_at").get<double>();
    gone_ = json.at("gone").get<std::set<std::string>>();
    removed_ = json.at("removed").get<std::set<std::string>>();
    is_finish_ordered_ = json.at("finish");
    is_paused_ = json.at("paused");
    has_ended_ = json.at("ended");
    for (const Json& item : json.at("begun")) {
      begun_[item.at(0)] = {.round = item.at(1), .at = item.at(2)};
    }
    if (!json.at("loss").is_null()) summary_.run.loss = json.at("loss");
    if (!json.at("accuracy").is_null()) summary_.run.accuracy = json.at("accuracy");
    if (!json.at("train_loss").is_null()) metrics_->set_train_loss(json.at("train_loss"));
    for (const Json& client : json.at("owed")) owed_.insert(client.get<std::int64_t>());
    for (const Json& item : json.at("known")) {
      Known known{.id = item.at(2), .sha256 = {}, .epsilon = {}};
      if (const auto digest = sha256_from_hex(item.at(3).get<std::string>()))
        known.sha256 = *digest;
      if (!item.at(4).is_null()) known.epsilon = item.at(4).get<double>();
      known_.emplace(UpdateKey{item.at(0), item.at(1)}, std::move(known));
    }
    if (!json.at("audit").is_null()) {
      audit_head = sha256_from_hex(json.at("audit").get<std::string>());
    }
    return json.at("journal");
  } catch (const Json::exception& error) {
    throw ConfigError(std::string("the checkpoint's state of the sites: ") + error.what());
  }
}

std::string SiteFederation::state(const std::string& saved_journal) const {
  Json json{{"journal", saved_journal},
            {"sites", book_.save()},
            {"begun_at", nullptr},
            {"gone", gone_},
            {"removed", removed_},
            {"finish", is_finish_ordered_},
            {"paused", is_paused_},
            {"ended", has_ended_},
            {"begun", Json::array()},
            {"loss", number(summary_.run.loss)},
            {"accuracy", number(summary_.run.accuracy)},
            {"train_loss", number(metrics_->train_loss())},
            {"owed", owed_},
            {"known", Json::array()},
            {"audit", nullptr}};
  if (begun_at_) json["begun_at"] = *begun_at_;
  for (const auto& [client, begun] : begun_) {
    json["begun"].push_back({client, begun.round, begun.at});
  }
  for (const auto& [key, known] : known_) {
    Json item{key.first, key.second, known.id, to_hex(known.sha256), nullptr};
    if (known.epsilon) item[4] = *known.epsilon;
    json["known"].push_back(std::move(item));
  }
  if (const auto& head = audit_->head()) json["audit"] = to_hex(*head);
  return json.dump();
}

void SiteFederation::look_after() {
  take_evaluation(false);
  evaluate_if_due();
  const std::int64_t every = job_.checkpoint.every_steps;
  const bool is_due = every > 0 && updates() >= saved_updates_ + every;
  if (is_due && std::chrono::steady_clock::now() >= next_save_) save_checkpoint();
}

/// Where it cannot be written the run goes on: the log has everything.
void SiteFederation::save_checkpoint() {
  const std::string saved = journal_->save();
  if (!write_checkpoint(saved)) {
    next_save_ = std::chrono::steady_clock::now() + kSaveAgain;
    return;
  }
  // With all payloads the log stays too: both together are the run from its first model on.
  if (!job_.sites.keep_updates) journal_->checkpoint_is_durable(saved);
  for (const auto& [site, id] : unreleased_) store_.release(site, id);
  unreleased_.clear();
}

bool SiteFederation::write_checkpoint(const std::string& saved) {
  const double seconds =
      seconds_before_ +
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  try {
    audit_->sync();
    events_->sync();
    checkpoints_.begin({.server = server_->save(),
                        .clock = state(saved),
                        .residuals = {},
                        .updates = updates(),
                        .steps = summary_.run.steps,
                        .samples = summary_.run.samples,
                        .seconds = seconds,
                        .step_seconds = 0.0,
                        .events_bytes = events_->bytes(),
                        .evaluated_updates = done_updates_},
                       *server_->aggregator().model());
    checkpoints_.finish(true);
  } catch (const std::runtime_error& error) {
    logger("trainer")->error("{}", error.what());
    return false;
  }
  saved_updates_ = updates();
  return true;
}

void SiteFederation::evaluate_if_due() {
  if (!evaluation_ || evaluation_->running()) return;
  const auto& config = job_.federation;
  const std::int64_t every = config.evaluate_every > 0 ? config.evaluate_every : config.clients;
  const std::int64_t version = server_->aggregator().version();
  if (updates() - evaluated_updates_ < every || evaluated_version_ == version) return;
  evaluated_updates_ = updates();
  evaluated_version_ = version;
  evaluation_->start(server_->aggregator().model(),
                     {.time = now(), .version = version, .updates = evaluated_updates_});
}

void SiteFederation::take_evaluation(bool wait) {
  if (!evaluation_) return;
  const auto done = evaluation_->take(wait);
  if (!done) return;
  done_updates_ = done->updates;
  summary_.run.loss = done->found.loss;
  summary_.run.accuracy = done->found.accuracy;
  metrics_->evaluation(done->found, done->time, done->version, done->updates);
}

void SiteFederation::stop() {
  take_evaluation(true);
  if (has_begun()) save_checkpoint();
  audit_->sync();
  journal_->stop();
}

FederatedSummary SiteFederation::finish(bool interrupted) {
  take_evaluation(true);
  const std::int64_t version = server_->aggregator().version();
  if (evaluation_ && evaluated_version_ != version) {
    evaluation_->start(server_->aggregator().model(),
                       {.time = now(), .version = version, .updates = updates()});
    take_evaluation(true);
  }
  trainer::put_state(*server_->aggregator().model(), *model_);
  model_->save((request_.run_dir / "model.pt").string());
  Summary& run = summary_.run;
  run.interrupted = interrupted;
  run.train_loss = metrics_->train_loss();
  run.seconds = seconds_before_ +
                std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  run.samples_per_second = static_cast<double>(run.samples) / run.seconds;
  run.ranks = 1;
  run.parameters_hash = to_hex(parameters_hash(model_->parameters()));
  summary_.clock = "live";
  summary_.federation_seconds = now();
  summary_.versions = version;
  summary_.updates = updates();
  summary_.client_bytes = server_->bytes();
  for (const auto& [client, bytes] : summary_.client_bytes) {
    summary_.bytes_down += bytes.down;
    summary_.bytes_up += bytes.up;
  }
  run.bytes_sent = summary_.bytes_down + summary_.bytes_up;
  summary_.server_memory = server_->peak_memory();
  summary_.schedule = server_->schedule();
  summary_.counts = server_->policy().counts();
  summary_.pending = server_->policy().pending();
  if (job_.privacy.is_on()) {
    summary_.privacy = FederationPrivacy{.config = job_.privacy, .sites = server_->privacy()};
  }
  write_file_atomic(request_.run_dir / "summary.json", to_json(summary_) + "\n");
  return summary_;
}

}  // namespace convoy::trainer
