// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/site_client.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <variant>

#include "base/errors.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "compress/codec/codec.h"
#include "trainer/sites/local_site_worker.h"
#include "trainer/sites/site_places.h"
#include "trainer/sites/site_privacy.h"

namespace convoy::trainer {
namespace {

using net::RefusalCode;
using std::chrono::milliseconds;

/// Between two looks at whether somebody stops the site.
constexpr milliseconds kLook{100};
constexpr std::chrono::seconds kLeavePatience{5};
/// A server that sends so many unusable models one after the other will not send a better one.
constexpr int kMostBadModels = 5;
constexpr std::int64_t kMostScriptBytes = std::int64_t{4} << 30;

bool ends_round(const LinkEvent& event) {
  return std::holds_alternative<FinalCame>(event) || std::holds_alternative<LinkEnded>(event);
}

/// What would fail after all of the run otherwise.
SiteClientOptions checked(SiteClientOptions options) {
  require_state_folder(options.state);
  require_model_file(options.model, options.state);
  return options;
}

}  // namespace

SiteClient::SiteClient(SiteClientOptions options, LineDialing dialing)
    : options_(checked(std::move(options))),
      box_(options_.state),
      line_(
          std::move(dialing),
          {.site = options_.own.site, .instance = options_.instance, .software = options_.software},
          [this] {
            if (!pulse_.is_training) return net::Progress{};
            return net::Progress{.activity = net::Activity::kTraining,
                                 .round = pulse_.round,
                                 .steps_done = pulse_.steps};
          }) {}

SiteOutcome SiteClient::run() {
  while (!is_over_) {
    if (is_stopped()) {
      stop();
    } else if (is_leaving_ && std::chrono::steady_clock::now() > told_until_) {
      leave_untold();
    } else if (!work(milliseconds(0)) && next_ && !is_leaving_) {
      train();
    } else {
      (void)work(kLook);
    }
  }
  return outcome_;
}

/// @return whether there was anything to handle.
bool SiteClient::work(milliseconds patience) {
  std::optional<LinkEvent> event;
  if (heard_.empty()) {
    event = line_.next(patience);
  } else {
    event = std::move(heard_.front());
    heard_.pop_front();
  }
  if (!event) return false;
  std::visit([this](auto& said) { handle(said); }, *event);
  return true;
}

void SiteClient::handle(JobCame& job) {
  if (offered_ && offered_->welcome.run != job.welcome.run) {
    throw std::runtime_error(
        fmt::format("the server has begun another run, {}, and this site is "
                    "in {}: start convoy join again",
                    job.welcome.run, offered_->welcome.run));
  }
  if (job.is_enrolled) return enrol(job);
  if (!offered_) consider(job);
}

/// The site's policy decides before anything is read.
void SiteClient::consider(const JobCame& job) {
  offered_ = job;
  outcome_.run = job.welcome.run;
  logger("trainer")->info("server {} offers run {}", job.welcome.server, job.welcome.run);
  try {
    job_ = options_.read_job(job.offer.job);
    outcome_.is_insecure = job_.privacy.is_on() && job_.privacy.insecure_seed != 0;
  } catch (const ConfigError& error) {
    refuse(RefusalCode::kOtherSchema, error.what());
  }
  const auto& script = job.offer.torchscript_sha256;
  if (const auto refusal = refusal_of(options_.own.policy, job_, script)) {
    refuse(RefusalCode::kSitePolicy, *refusal);
  }
  if (const auto refusal = refusal_of_budget(options_.own.policy, job_)) {
    end_with(RefusalCode::kSitePolicy, "the site's privacy budget allows no step of this job");
    throw ConfigError("this site does not train the server's job: " + *refusal);
  }
  if (!script) return load("");
  line_.tell([hash = *script](SiteLink& link) { link.take_script(kMostScriptBytes, hash); });
}

/// The link has let no other file through than the one that was offered.
void SiteClient::handle(ScriptCame& script) {
  if (loaded_ || rounds_) return;
  const auto path = options_.state / "model.torchscript";
  write_private_file_atomic(path, script.file.bytes);
  load(path.string());
}

void SiteClient::load(const std::string& script) {
  try {
    loaded_ = load_site_job(own_job(job_, options_.own, script), options_.own.share);
  } catch (const ConfigError&) {
    // What is wrong may name the site's files, which are not the server's business.
    end_with(RefusalCode::kOtherSchema, "the site's data cannot be read as the job says");
    throw;
  }
  open_ledger();
  const std::string schema = to_text(loaded_->schema);
  logger("trainer")->info("{} samples: {}", loaded_->samples.size(), schema);
  if (hash_of(loaded_->shape) != offered_->offer.model_hash) {
    refuse(
        RefusalCode::kOtherSchema,
        "with this site's data the model has other names or shapes than the server's: " + schema);
  }
  net::Join join{.samples = loaded_->client_data(0).train_size(),
                 .schema_hash = hash_of(loaded_->schema),
                 .threads = options_.threads,
                 .ranks = options_.silo != nullptr ? options_.silo->ranks() : 1};
  if (const auto refusal = refusal_of_samples(options_.own.policy, join.samples)) {
    refuse(RefusalCode::kSitePolicy, *refusal);
  }
  const std::string run = offered_->welcome.run;
  auto unsettled = box_.unsettled();
  if (unsettled && unsettled->run == run) {
    logger("trainer")->info("update {} waits for its answer", unsettled->begin.update_id);
    line_.tell([update = std::move(*unsettled)](SiteLink& link) { link.offer(update); });
  }
  line_.tell([run, join](SiteLink& link) { link.join_as(run, join); });
}

/// Before the site joins: without its ledger it could train nothing.
void SiteClient::open_ledger() {
  try {
    loaded_->ledger = open_site_ledger(loaded_->job, options_.own);
  } catch (const std::exception&) {
    end_with(RefusalCode::kFailed, "the site cannot open its privacy ledger");
    throw;
  }
}

void SiteClient::enrol(const JobCame& job) {
  const std::int64_t number = job.offer.client;
  if (rounds_) {
    require_same_place(number);
    return;
  }
  rounds_ = std::make_unique<SiteRounds>(
      std::move(*loaded_), options_.own,
      SiteRounds::Place{.run = job.welcome.run, .client = number}, box_, worker_maker(number));
  loaded_.reset();
  is_settled_ = !box_.unsettled();
  if (const auto newest = box_.newest()) done_ = newest->round;
  logger("trainer")->info("joined run {} as site {} of it", job.welcome.run, number);
  take_next_model();
  if (is_settled_) leave_if_spent();
}

MakeSiteWorker SiteClient::worker_maker(std::int64_t number) const {
  if (options_.silo == nullptr) return make_local_worker;
  return
      [this, number](SiteJob& job, const ClientData& /*data*/, std::optional<PrivateSite> privacy) {
        const SiloOffer offer{.job = offered_->offer.job,
                              .script = read_script(job.job.model.torchscript),
                              .number = number};
        return make_silo_worker(*options_.silo, options_.inside, offer, job, std::move(privacy));
      };
}

void SiteClient::require_same_place(std::int64_t number) const {
  if (number == rounds_->place().client) return;
  throw std::runtime_error(fmt::format("the server takes this site for number {}, and it was {}",
                                       number, rounds_->place().client));
}

void SiteClient::take_next_model() {
  const std::int64_t most = rounds_->longest_stream();
  line_.tell([most](SiteLink& link) { link.take_model(most); });
}

void SiteClient::handle(RoundCame& round) {
  const net::Dispatch dispatch = round.dispatch;
  const bool has_model = round.model.has_value();
  try {
    rounds_->take_model(round);
    bad_models_ = 0;
  } catch (const compress::PayloadError& error) {
    if (++bad_models_ == kMostBadModels) throw;
    logger("trainer")->warn("round {}: {}; it must come again", dispatch.round, error.what());
    if (has_model) round.model->bytes.clear();
    line_.tell([round, what = std::string(error.what())](SiteLink& link) {
      link.hold(std::nullopt);
      link.refuse_model(round, what);
    });
    return take_next_model();
  }
  line_.tell([version = dispatch.version](SiteLink& link) { link.hold(version); });
  if (has_model) take_next_model();
  if (in_hand_ == dispatch.round || is_answered(dispatch)) return;
  next_ = dispatch;
  line_.tell([number = dispatch.round](SiteLink& link) { link.work_on(number); });
}

/// Whether the round's update is on the way, or is sent again: the server has forgotten what it
/// acknowledged, as one does that was restored from an older snapshot.
bool SiteClient::is_answered(const net::Dispatch& round) {
  if (done_ != round.round) return false;
  if (!is_settled_) return true;
  const auto newest = box_.newest();
  if (!newest || newest->round != round.round || newest->version != round.version) return false;
  is_settled_ = false;
  logger("trainer")->warn("the server asks for round {} again; it gets update {} again",
                          round.round, newest->update_id);
  line_.tell([update = box_.again()](SiteLink& link) { link.offer(update); });
  return true;
}

void SiteClient::train() {
  const net::Dispatch round = *next_;
  next_.reset();
  pulse_.round = round.round;
  pulse_.steps = 0;
  pulse_.is_training = true;
  in_hand_ = round.round;
  auto trained = rounds_->train(round, [this] { return listen(); });
  pulse_.is_training = false;
  outcome_.epsilon = rounds_->epsilon();
  if (is_stopped() || std::ranges::any_of(heard_, ends_round)) return;
  if (trained) {
    ++outcome_.rounds;
    outcome_.steps += trained->begin.steps;
  }
  while (!is_settled_ && !is_over_ && !is_stopped()) (void)work(kLook);
  in_hand_.reset();
  if (!is_settled_) return;
  if (!trained) return leave(net::LeaveReason::kPrivacyBudget, "the privacy budget is spent");
  send(*trained, round.take_back);
}

/// Between two steps. What comes waits, but for what ends the round.
bool SiteClient::listen() {
  ++pulse_.steps;
  while (auto event = line_.next(milliseconds(0))) heard_.push_back(std::move(*event));
  return !is_stopped() && std::ranges::none_of(heard_, ends_round);
}

void SiteClient::send(const SiteRounds::Trained& trained, bool take_back) {
  if (take_back) box_.take_back();
  const OfferedUpdate update = box_.store(trained.result, trained.begin);
  done_ = update.begin.round;
  is_settled_ = false;
  logger("trainer")->info("round {}: {} steps from version {} in {:.2f} s, {} bytes to send",
                          update.begin.round, update.begin.steps, update.begin.version,
                          update.begin.training_seconds, update.begin.bytes);
  line_.tell([update, next = next_](SiteLink& link) {
    link.offer(update);
    link.work_on(next ? std::optional(next->round) : std::nullopt);
  });
}

void SiteClient::handle(UpdateAnswered& answer) {
  if (answer.is_accepted) {
    logger("trainer")->info("update {} is acknowledged", answer.id);
    if (box_.unsettled()) ++outcome_.updates;
    box_.settle(answer.id);
  } else {
    logger("trainer")->warn("update {} is given up: {}", answer.id, answer.text);
    box_.give_up(answer.id);
    ++outcome_.given_up;
    done_.reset();
  }
  is_settled_ = true;
  leave_if_spent();
}

/// A round in hand has spent already, and is sent first.
void SiteClient::leave_if_spent() {
  if (!rounds_->is_spent() || in_hand_) return;
  leave(net::LeaveReason::kPrivacyBudget, "the privacy budget is spent");
}

void SiteClient::leave(net::LeaveReason reason, const std::string& text) {
  if (is_leaving_) return;
  is_leaving_ = true;
  told_until_ = std::chrono::steady_clock::now() + options_.budget_patience;
  leaves_because_ = text;
  logger("trainer")->info("leaving the run: {}", text);
  line_.tell([reason, text](SiteLink& link) { link.leave(reason, text); });
}

void SiteClient::handle(LeaveAccepted& /*accepted*/) {
  line_.hang_up("the site has left");
  outcome_.kind = SiteOutcome::Kind::kLeft;
  outcome_.reason = leaves_because_;
  is_over_ = true;
}

void SiteClient::leave_untold() {
  logger("trainer")->warn("the server has not answered that the site leaves");
  line_.hang_up("the site has left");
  outcome_.kind = SiteOutcome::Kind::kLeft;
  outcome_.reason = leaves_because_;
  is_over_ = true;
}

void SiteClient::handle(FinalCame& final_model) {
  outcome_.parameters_hash = rounds_->save_final(final_model.model, options_.model);
  outcome_.kind = SiteOutcome::Kind::kFinished;
  outcome_.model = options_.model;
  final_model.model.bytes.clear();
  line_.tell([model = final_model.model](SiteLink& link) { link.keep_final(model); });
  line_.hang_up("the site has the final model");
  is_over_ = true;
}

void SiteClient::handle(LinkEnded& ended) {
  require_config(!ended.needs_mending, ended.text);
  throw std::runtime_error(ended.text);
}

void SiteClient::stop() {
  if (options_.leave_on_stop && rounds_) {
    leave(net::LeaveReason::kStopped, "the site has been stopped");
    const auto until = std::chrono::steady_clock::now() + kLeavePatience;
    while (!is_over_ && std::chrono::steady_clock::now() < until) (void)work(kLook);
  }
  if (is_over_) return;
  if (is_leaving_ || options_.leave_on_stop) {
    outcome_.reason = "the server was not told that the site leaves";
  }
  line_.hang_up("the site has been stopped");
  is_over_ = true;
}

void SiteClient::end_with(RefusalCode code, const std::string& text) {
  line_.tell([code, text](SiteLink& link) { link.refuse_job(code, text); });
  line_.hang_up("the site does not take part");
}

void SiteClient::refuse(RefusalCode code, const std::string& text) {
  end_with(code, text);
  throw ConfigError("this site does not train the server's job: " + text);
}

std::string to_json(const SiteOutcome& outcome) {
  using Kind = SiteOutcome::Kind;
  nlohmann::ordered_json json{{"outcome", outcome.kind == Kind::kFinished ? "finished"
                                          : outcome.kind == Kind::kLeft   ? "left"
                                                                          : "stopped"},
                              {"run", outcome.run},
                              {"rounds", outcome.rounds},
                              {"steps", outcome.steps},
                              {"updates", outcome.updates},
                              {"given_up", outcome.given_up}};
  if (!outcome.reason.empty()) json["reason"] = outcome.reason;
  if (outcome.epsilon) json["epsilon"] = *outcome.epsilon;
  if (outcome.is_insecure) json["insecure"] = true;
  if (!outcome.model.empty()) {
    json["model"] = outcome.model.string();
    json["parameters_hash"] = to_hex(outcome.parameters_hash);
  }
  return json.dump();
}

}  // namespace convoy::trainer
