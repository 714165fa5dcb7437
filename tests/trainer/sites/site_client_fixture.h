// SPDX-License-Identifier: Apache-2.0
#pragma once
// A whole site against a server that the test speaks for, over real TLS.

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

#include "base/errors.h"
#include "scheduler/net/dialer.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/sites/scripted_hub.h"
#include "trainer/federated/client_end.h"
#include "trainer/federated/federation_data.h"
#include "trainer/federated/update_layers.h"
#include "trainer/sites/site_client.h"

namespace convoy::tests {

inline constexpr std::int64_t kNumber = 4;

inline trainer::Job site_job(const std::string& family = "none") {
  trainer::Job job;
  job.run.seed = 3;
  job.data.name = "synthetic";
  job.data.samples = 300;
  job.model.name = "mlp";
  job.model.hidden = 64;
  job.train.batch_size = 8;
  job.train.optimizer.lr = 0.05;
  job.federation.clock = "live";
  job.compression.family = family;
  job.compression.level = family == "top_k" ? 0.05 : 4;
  job.compression.min_numel = 64;
  return job;
}

/// A federation of one site, and what the server knows.
class SiteClientTest : public ::testing::Test {
 protected:
  void use(trainer::Job used) {
    job = std::move(used);
    datasets = trainer::load_datasets(job.data, job.run.seed);
    model = trainer::make_model(job.model, datasets.train->info(), job.run.seed);
    shape = trainer::shape_of(*model);
    codec = trainer::make_update_codec(job.compression, model->parameters());
    start = trainer::copy_state(*model);
  }
  void TearDown() override { stop_site(); }

  [[nodiscard]] trainer::SiteClientOptions options() {
    return {.own = {.site = "clinic", .data_path = "", .share = {}, .policy = policy},
            .state = folder.path() / "state",
            .model = folder.path() / "model.pt",
            .instance = "i" + std::to_string(++instances),
            .software = "test",
            .leave_on_stop = leave_on_stop,
            .budget_patience = budget_patience,
            .stop = &stop,
            .read_job = [this](const std::string&) { return job; }};
  }
  /// In a thread, as a process of its own would be.
  void start_site() {
    stop = false;
    site = std::async(std::launch::async, [this] {
      trainer::SiteClient client(options(), dialing());
      return client.run();
    });
  }
  [[nodiscard]] trainer::LineDialing dialing() {
    const auto dialer = std::make_shared<net::Dialer>(
        net::DialerOptions{.server = {.host = "127.0.0.1", .port = hub.port()},
                           .own = own,
                           .authorities = federation.files().certificate,
                           .lists = federation.files().list,
                           .limits = {}});
    return {
        .dial = [dialer](auto user) { return dialer->dial(std::move(user)); },
        .cancel = [dialer] { dialer->cancel(); },
        .waits = {.first = std::chrono::milliseconds(10), .most = std::chrono::milliseconds(200)},
        .seed = 1};
  }
  void stop_site() {
    stop = true;
    if (site.valid()) (void)site.wait_for(ScriptedHub::kPatience);
    if (site.valid()) {
      try {
        (void)site.get();
      } catch (const std::exception& error) {
        ADD_FAILURE() << "the site has failed: " << error.what();
      }
    }
  }

  [[nodiscard]] net::JobOffer offer(std::int64_t number) const {
    return {.job = "[job]", .model_hash = trainer::hash_of(shape), .client = number};
  }
  /// From Hello until the site is enrolled.
  void enrol() {
    EXPECT_EQ(hub.greet().schema_hash, 0U);
    (void)hub.say(offer(0), hub.last.id);
    joined = hub.expect<net::Join>();
    (void)hub.say(offer(kNumber), hub.last.id);
  }
  /// Of a site that knows the job: its next connection, up to where rounds may come.
  void enrol_again() {
    joined = hub.greet();
    EXPECT_NE(joined.schema_hash, 0U);
    (void)hub.say(offer(kNumber), hub.last.id);
  }
  /// Of the upload that was announced last: never to be used. The site gives it up, and comes back.
  void refuse_update() {
    (void)hub.say(net::Refusal{.code = net::RefusalCode::kBadUpdate, .text = "too long"},
                  hub.last.id);
    (void)hub.expect<net::Goodbye>();
    enrol_again();
    EXPECT_FALSE(joined.open_round);
    EXPECT_FALSE(joined.pending_update);
  }
  [[nodiscard]] net::Dispatch round(std::int64_t number, bool take_back = false) const {
    return {.round = number,
            .version = number,
            .model_hash = trainer::hash_of(start),
            .steps = 6,
            .position = 6 * number,
            .updates = number,
            .take_back = take_back};
  }
  void dispatch(const net::Dispatch& what) {
    (void)hub.say(what);
    hub.send_stream(
        {.version = what.version, .model_hash = what.model_hash},
        trainer::to_stream({.parameters = start.parameters, .payload = {}, .buffers = {}}, shape));
  }
  /// Whole, and not yet acknowledged.
  net::UploadBegin take_update() {
    const auto begin = hub.expect<net::UploadBegin>();
    hub.upload.clear();
    hub.take_upload(hub.last.id, begin.bytes, begin.bytes, 1 << 20);
    EXPECT_EQ(sha256(hub.upload), begin.sha256);
    return begin;
  }
  void acknowledge(const net::UploadBegin& begin) {
    (void)hub.say(net::UploadAck{.update_id = begin.update_id});
  }
  [[nodiscard]] trainer::ClientData client_data() const {
    std::vector<std::int64_t> all(static_cast<std::size_t>(datasets.train->size()));
    std::iota(all.begin(), all.end(), std::int64_t{0});
    return {all, job.federation.validation, job.train.batch_size,
            trainer::client_key(job, kNumber)};
  }
  /// The same round as a client of `convoy federate` does it.
  class Reference {
   public:
    explicit Reference(SiteClientTest& test)
        : test_(test),
          trainer_(trainer::make_model(test.job.model, test.datasets.train->info(), 1),
                   *test.datasets.train, trainer::local_training_config(test.job)),
          end_(test.client_data(), test.codec.get()) {}
    std::vector<std::byte> train(const net::Dispatch& round) {
      const auto report = end_.train(trainer_,
                                     {.client = kNumber,
                                      .round = round.round,
                                      .steps = round.steps,
                                      .position = round.position,
                                      .updates = round.updates},
                                     test_.start);
      return trainer::to_stream({.parameters = report.result.update.delta,
                                 .payload = report.payload,
                                 .buffers = report.result.update.buffers},
                                test_.shape);
    }
    void take_back() { end_.take_back(); }

   private:
    SiteClientTest& test_;
    trainer::LocalTrainer trainer_;
    trainer::ClientEnd end_;
  };
  /// What the site ends with, where that is a ConfigError; else empty.
  std::string config_error() {
    try {
      (void)site.get();
    } catch (const ConfigError& error) {
      return error.what();
    } catch (const std::exception& error) {
      ADD_FAILURE() << "no ConfigError: " << error.what();
    }
    return "";
  }
  trainer::SiteOutcome finish() {
    const auto bytes =
        trainer::to_stream({.parameters = start.parameters, .payload = {}, .buffers = {}}, shape);
    hub.send_stream(
        {.kind = net::StreamKind::kFinalModel, .version = 9, .model_hash = trainer::hash_of(start)},
        bytes);
    auto kept = hub.expect<net::StreamOffset>();
    EXPECT_EQ(kept.offset, std::ssize(bytes));
    (void)hub.expect<net::Goodbye>();
    return site.get();
  }

  TemporaryFolder folder;
  Federation federation;
  net::Credentials own = federation.member("clinic", net::Role::kSite);
  ScriptedHub hub{federation};
  trainer::Job job;
  trainer::Datasets datasets;
  std::unique_ptr<trainer::Model> model;
  trainer::ModelShape shape;
  std::unique_ptr<const compress::UpdateCodec> codec;
  trainer::ModelState start;
  trainer::SitePolicy policy;
  net::Join joined;
  std::atomic<bool> stop = false;
  std::chrono::milliseconds budget_patience{60'000};
  bool leave_on_stop = false;
  int instances = 0;
  std::future<trainer::SiteOutcome> site;
};

}  // namespace convoy::tests
