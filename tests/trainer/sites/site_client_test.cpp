// SPDX-License-Identifier: Apache-2.0
// A whole site against a server that the test speaks for, over real TLS.
#include "trainer/sites/site_client.h"

#include <gtest/gtest.h>
#include <torch/script.h>

#include <algorithm>
#include <future>
#include <numeric>
#include <random>

#include "base/errors.h"
#include "base/file.h"
#include "compress/update/reference_trajectory.h"
#include "scheduler/net/dialer.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/sites/scripted_hub.h"
#include "trainer/federated/client_end.h"
#include "trainer/federated/federation_data.h"
#include "trainer/federated/update_layers.h"
#include "trainer/parallel/replicas.h"
#include "trainer/sites/site_check.h"

namespace convoy::tests {
namespace {

using namespace trainer;
using net::RefusalCode;

constexpr std::int64_t kNumber = 4;

Job site_job(const std::string& family = "none") {
  Job job;
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
  void use(Job used) {
    job = std::move(used);
    datasets = load_datasets(job.data, job.run.seed);
    model = make_model(job.model, datasets.train->info(), job.run.seed);
    shape = shape_of(*model);
    codec = make_update_codec(job.compression, model->parameters());
    start = copy_state(*model);
  }
  void TearDown() override { stop_site(); }

  [[nodiscard]] SiteClientOptions options() {
    return {.own = {.site = "clinic", .data_path = "", .share = {}, .policy = policy},
            .state = folder.path() / "state",
            .model = folder.path() / "model.pt",
            .instance = "i" + std::to_string(++instances),
            .software = "test",
            .stop = &stop,
            .read_job = [this](const std::string&) { return job; }};
  }
  /// In a thread, as a process of its own would be.
  void start_site() {
    stop = false;
    site = std::async(std::launch::async, [this] {
      const auto dialer = std::make_shared<net::Dialer>(
          net::DialerOptions{.server = {.host = "127.0.0.1", .port = hub.port()},
                             .own = own,
                             .authorities = federation.files().certificate,
                             .lists = federation.files().list,
                             .limits = {}});
      SiteClient client(options(),
                        {.dial = [dialer](auto user) { return dialer->dial(std::move(user)); },
                         .cancel = [dialer] { dialer->cancel(); },
                         .waits = {.first = std::chrono::milliseconds(10),
                                   .most = std::chrono::milliseconds(200)},
                         .seed = 1});
      return client.run();
    });
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
    return {.job = "[job]", .model_hash = hash_of(shape), .client = number};
  }
  /// From Hello until the site is enrolled.
  void enrol() {
    EXPECT_EQ(hub.greet().schema_hash, 0U);
    (void)hub.say(offer(0), hub.last.id);
    joined = hub.expect<net::Join>();
    (void)hub.say(offer(kNumber), hub.last.id);
  }
  [[nodiscard]] net::Dispatch round(std::int64_t number, bool take_back = false) const {
    return {.round = number,
            .version = number,
            .model_hash = hash_of(start),
            .steps = 6,
            .position = 6 * number,
            .updates = number,
            .take_back = take_back};
  }
  void dispatch(const net::Dispatch& what) {
    (void)hub.say(what);
    hub.send_stream(
        {.version = what.version, .model_hash = what.model_hash},
        to_stream({.parameters = start.parameters, .payload = {}, .buffers = {}}, shape));
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
  [[nodiscard]] ClientData client_data() const {
    std::vector<std::int64_t> all(static_cast<std::size_t>(datasets.train->size()));
    std::iota(all.begin(), all.end(), std::int64_t{0});
    return {all, job.federation.validation, job.train.batch_size, client_key(job, kNumber)};
  }
  /// The same round as a client of `convoy federate` does it.
  class Reference {
   public:
    explicit Reference(SiteClientTest& test)
        : test_(test),
          trainer_(make_model(test.job.model, test.datasets.train->info(), 1), *test.datasets.train,
                   local_training_config(test.job)),
          end_(test.client_data(), test.codec.get()) {}
    std::vector<std::byte> train(const net::Dispatch& round) {
      const auto report = end_.train(trainer_,
                                     {.client = kNumber,
                                      .round = round.round,
                                      .steps = round.steps,
                                      .position = round.position,
                                      .updates = round.updates},
                                     test_.start);
      return to_stream({.parameters = report.result.update.delta,
                        .payload = report.payload,
                        .buffers = report.result.update.buffers},
                       test_.shape);
    }
    void take_back() { end_.take_back(); }

   private:
    SiteClientTest& test_;
    LocalTrainer trainer_;
    ClientEnd end_;
  };
  SiteOutcome finish() {
    const auto bytes =
        to_stream({.parameters = start.parameters, .payload = {}, .buffers = {}}, shape);
    hub.send_stream(
        {.kind = net::StreamKind::kFinalModel, .version = 9, .model_hash = hash_of(start)}, bytes);
    auto kept = hub.expect<net::StreamOffset>();
    EXPECT_EQ(kept.offset, std::ssize(bytes));
    (void)hub.expect<net::Goodbye>();
    return site.get();
  }

  TemporaryFolder folder;
  Federation federation;
  net::Credentials own = federation.member("clinic", net::Role::kSite);
  ScriptedHub hub{federation};
  Job job;
  Datasets datasets;
  std::unique_ptr<Model> model;
  ModelShape shape;
  std::unique_ptr<const compress::UpdateCodec> codec;
  ModelState start;
  SitePolicy policy;
  net::Join joined;
  std::atomic<bool> stop = false;
  int instances = 0;
  std::future<SiteOutcome> site;
};

TEST_F(SiteClientTest, TrainsWhatAClientOfASimulatedFederationTrains) {
  use(site_job());
  Reference reference(*this);
  start_site();
  enrol();
  EXPECT_EQ(joined.samples, datasets.train->size());
  for (const std::int64_t number : {0, 1, 2}) {
    dispatch(round(number));
    const auto begin = take_update();
    EXPECT_EQ(hub.upload, reference.train(round(number)));
    EXPECT_EQ(begin.round, number);
    EXPECT_EQ(begin.version, number);
    EXPECT_EQ(begin.steps, 6);
    EXPECT_EQ(begin.position, 6 * number + 6);
    EXPECT_EQ(begin.samples, joined.samples);
    ASSERT_EQ(begin.metrics.size(), 2U);
    EXPECT_EQ(begin.metrics[0].name, "loss");
    EXPECT_EQ(begin.metrics[1].value, 48.0);
    acknowledge(begin);
  }
  const SiteOutcome outcome = finish();
  EXPECT_EQ(outcome.kind, SiteOutcome::Kind::kFinished);
  EXPECT_EQ(outcome.updates, 3);
  EXPECT_EQ(outcome.parameters_hash, parameters_hash(model->parameters()));
  job.model.init = outcome.model.string();
  const auto saved = make_model(job.model, datasets.train->info(), 77);
  EXPECT_EQ(hash_of(copy_state(*saved)), hash_of(start));
}

TEST_F(SiteClientTest, CompressesBothWaysAndOwesWhatWasRefused) {
  for (const char* family : {"top_k", "quantize"}) {
    SCOPED_TRACE(family);
    const TemporaryFolder state;
    use(site_job(family));
    Reference reference(*this);
    compress::ReferenceTrajectory trajectory(*codec, flatten(start.parameters), 4, 1);
    std::vector<float> global = flatten(start.parameters);
    start_site();
    enrol();
    std::optional<std::int64_t> held;
    for (const std::int64_t number : {0, 1, 2, 3}) {
      auto what = round(number, /*take_back=*/number == 2);
      what.version = trajectory.version();
      what.model_hash = hash_of(start);
      (void)hub.say(what);
      hub.send_stream({.version = what.version}, to_stream({.parameters = {},
                                                            .payload = trajectory.message(held),
                                                            .buffers = start.buffers},
                                                           shape));
      held = what.version;
      const auto begin = take_update();
      if (what.take_back) reference.take_back();
      EXPECT_EQ(hub.upload, reference.train(what)) << number;
      acknowledge(begin);
      for (auto& value : global) value += 0.01F;
      trajectory.advance(global);
      start.parameters = unflatten(trajectory.values(), shape.like.parameters);
    }
    EXPECT_EQ(finish().updates, 4);
    std::filesystem::remove_all(folder.path() / "state");
  }
}

TEST_F(SiteClientTest, AnUploadThatIsCutAnywhereGoesOn) {
  use(site_job());
  start_site();
  enrol();
  dispatch(round(0));
  auto begin = hub.expect<net::UploadBegin>();
  const net::UploadBegin first = begin;
  hub.upload.clear();
  std::mt19937 random(5);
  for (int cuts = 0; cuts < 12; ++cuts) {
    const auto until = std::min<std::int64_t>(
        begin.bytes - 1, std::ssize(hub.upload) + 1 + random() % (begin.bytes / 8));
    hub.take_upload(hub.last.id, begin.bytes, until, 1 + random() % 5000);
    hub.cut();
    const auto join = hub.greet();
    EXPECT_EQ(join.pending_update, first.update_id);
    EXPECT_EQ(join.open_round, 0);
    EXPECT_EQ(join.held_version, 0);
    (void)hub.say(offer(kNumber), hub.last.id);
    begin = hub.expect<net::UploadBegin>();
    EXPECT_EQ(begin, first);
  }
  hub.take_upload(hub.last.id, begin.bytes, begin.bytes, 1 << 20);
  EXPECT_EQ(sha256(hub.upload), begin.sha256);
  acknowledge(begin);
  EXPECT_EQ(finish().updates, 1);
}

TEST_F(SiteClientTest, ANewProcessSendsTheSameBytes) {
  use(site_job("top_k"));
  Reference reference(*this);
  start_site();
  enrol();
  dispatch(round(0));
  const auto first = take_update();
  const auto bytes = hub.upload;
  EXPECT_EQ(bytes, reference.train(round(0)));
  stop_site();  // nothing was acknowledged
  (void)hub.expect<net::Goodbye>();

  start_site();
  EXPECT_EQ(hub.greet().schema_hash, 0U);
  (void)hub.say(offer(0), hub.last.id);
  joined = hub.expect<net::Join>();
  EXPECT_EQ(joined.pending_update, first.update_id);
  EXPECT_EQ(joined.open_round, 0);
  EXPECT_FALSE(joined.held_version);
  (void)hub.say(offer(kNumber), hub.last.id);
  const auto second = take_update();
  EXPECT_EQ(second, first);
  EXPECT_EQ(hub.upload, bytes);
  acknowledge(second);
  // What compression owes has come through too.
  dispatch(round(1));
  const auto third = take_update();
  EXPECT_EQ(hub.upload, reference.train(round(1)));
  acknowledge(third);
  EXPECT_EQ(finish().updates, 2);
}

TEST_F(SiteClientTest, WhatIsGivenUpIsOwedAgainAlsoByANewProcess) {
  use(site_job("top_k"));
  Reference reference(*this);
  start_site();
  enrol();
  dispatch(round(0));
  (void)take_update();
  EXPECT_EQ(hub.upload, reference.train(round(0)));
  (void)hub.say(net::Refusal{.code = RefusalCode::kOutOfRound, .text = "late"}, hub.last.id);
  reference.take_back();
  dispatch(round(1));
  (void)take_update();
  EXPECT_EQ(hub.upload, reference.train(round(1)));
  (void)hub.say(net::Refusal{.code = RefusalCode::kBadUpdate, .text = "norm"}, hub.last.id);
  reference.take_back();
  // The model is held. What is owed already is taken back once, however often that is said.
  (void)hub.say(round(1, /*take_back=*/true));
  (void)take_update();
  EXPECT_EQ(hub.upload, reference.train(round(1)));
  (void)hub.say(net::Refusal{.code = RefusalCode::kBadUpdate, .text = "norm"}, hub.last.id);
  reference.take_back();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  stop_site();
  (void)hub.expect<net::Goodbye>();

  start_site();
  enrol();
  EXPECT_FALSE(joined.pending_update);
  dispatch(round(2));  // of what it owes the new process knows without being told
  const auto last = take_update();
  EXPECT_EQ(hub.upload, reference.train(round(2)));
  acknowledge(last);
  EXPECT_EQ(finish().updates, 1);
}

TEST_F(SiteClientTest, RefusesAModelWithOtherBits) {
  use(site_job());
  Reference reference(*this);
  start_site();
  enrol();
  auto what = round(0);
  what.model_hash += 1;
  dispatch(what);
  const auto refusal = hub.expect<net::Refusal>();
  EXPECT_EQ(refusal.code, RefusalCode::kBadStream);
  EXPECT_EQ(refusal.text, "version 0 has other bits than the server's");
  dispatch(round(0));
  const auto begin = take_update();
  EXPECT_EQ(hub.upload, reference.train(round(0)));
  acknowledge(begin);
  (void)finish();
}

TEST_F(SiteClientTest, AskedToTakeUpAVersionThatItHasNotItSaysSo) {
  use(site_job("top_k"));
  compress::ReferenceTrajectory trajectory(*codec, flatten(start.parameters), 4, 1);
  trajectory.advance(flatten(start.parameters));
  start_site();
  enrol();
  auto what = round(0);
  what.version = 1;
  (void)hub.say(what);
  hub.send_stream(
      {.version = 1},
      to_stream({.parameters = {}, .payload = trajectory.message(0), .buffers = {}}, shape));
  EXPECT_EQ(hub.expect<net::Refusal>().code, RefusalCode::kBadStream);
  hub.send_stream({.version = 1},
                  to_stream({.parameters = start.parameters, .payload = {}, .buffers = {}}, shape));
  acknowledge(take_update());
  // The dense one is what compressed ones go on from.
  auto next = flatten(start.parameters);
  for (auto& value : next) value += 0.5F;
  trajectory.advance(next);
  start.parameters = unflatten(trajectory.values(), shape.like.parameters);
  what = round(1);
  what.version = 2;
  (void)hub.say(what);
  hub.send_stream(
      {.version = 2},
      to_stream({.parameters = {}, .payload = trajectory.message(1), .buffers = {}}, shape));
  acknowledge(take_update());
  EXPECT_EQ(finish().updates, 2);
}

TEST_F(SiteClientTest, LeavesWhenItsBudgetIsSpent) {
  Job private_job = site_job();
  private_job.privacy = {.mode = "per_sample",
                         .clip = 1.0,
                         .sigma = 1.0,
                         .rate = 0.05,
                         .epsilon = 1.9,
                         .ledger = "/nonexistent/of/the/server"};
  use(private_job);
  policy.ledger = folder / "ledger";
  start_site();
  enrol();
  net::UploadBegin begin;
  for (std::int64_t number = 0;; ++number) {
    dispatch(round(number));
    begin = take_update();
    EXPECT_LE(begin.epsilon.value(), 1.9);
    acknowledge(begin);
    const bool was_last = std::ranges::any_of(
        begin.metrics, [](const net::Metric& metric) { return metric.name == "leaves"; });
    if (was_last) break;
    ASSERT_LT(number, 50);
  }
  for (const auto& metric : begin.metrics) EXPECT_NE(metric.name, "loss");
  EXPECT_EQ(hub.expect<net::Leave>().reason, net::LeaveReason::kPrivacyBudget);
  (void)hub.say(net::Accepted{}, hub.last.id);
  (void)hub.expect<net::Goodbye>();
  const SiteOutcome outcome = site.get();
  EXPECT_EQ(outcome.kind, SiteOutcome::Kind::kLeft);
  EXPECT_GT(outcome.epsilon.value(), 1.0);

  start_site();  // the ledger knows
  enrol();
  EXPECT_EQ(hub.expect<net::Leave>().reason, net::LeaveReason::kPrivacyBudget);
  (void)hub.say(net::Accepted{}, hub.last.id);
  EXPECT_EQ(site.get().kind, SiteOutcome::Kind::kLeft);
}

TEST_F(SiteClientTest, DoesNotTrainWhatItsPolicyForbids) {
  use(site_job());
  policy.require_privacy = true;
  start_site();
  (void)hub.greet();
  (void)hub.say(offer(0), hub.last.id);
  const auto refusal = hub.expect<net::Refusal>();
  EXPECT_EQ(refusal.code, RefusalCode::kSitePolicy);
  EXPECT_THROW((void)site.get(), std::runtime_error);
}

/// A model that comes as TorchScript, and the bytes of its file.
class ScriptTest : public SiteClientTest {
 protected:
  ScriptTest() {
    use(site_job());
    torch::jit::Module module("net");
    module.register_parameter("weight", (torch::ones({32, 10}) * 0.01).requires_grad_(), false);
    module.register_attribute("training", torch::jit::BoolType::get(), true);
    module.define("def forward(self, x):\n  return torch.matmul(x, self.weight)\n");
    const std::string path = folder / "net.pt";
    module.save(path);
    file = read_file(path);
    Job scripted = job;
    scripted.model.torchscript = path;
    use(scripted);
    job.model.torchscript = "/nonexistent/of/the/server.pt";
  }
  void offer_script() {
    (void)hub.greet();
    auto scripted = offer(0);
    scripted.torchscript_sha256 = sha256(file);
    (void)hub.say(scripted, hub.last.id);
  }

  std::vector<std::byte> file;
};

TEST_F(ScriptTest, IsTrainedWhereThePolicyListsIt) {
  policy.torchscript = {sha256(file)};
  start_site();
  offer_script();
  hub.send_stream({.kind = net::StreamKind::kTorchScript}, file);
  (void)hub.expect<net::Join>();
  (void)hub.say(offer(kNumber), hub.last.id);
  dispatch(round(0));
  const auto begin = take_update();
  EXPECT_TRUE(begin.finite);
  EXPECT_EQ(begin.steps, 6);
  acknowledge(begin);
  stop_site();
}

TEST_F(ScriptTest, IsNotEvenReceivedWhereThePolicyDoesNot) {
  start_site();
  offer_script();
  EXPECT_EQ(hub.expect<net::Refusal>().code, RefusalCode::kSitePolicy);
  EXPECT_THROW((void)site.get(), std::runtime_error);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "state" / "model.torchscript"));
}

TEST_F(ScriptTest, IsRefusedWhereItIsNotTheOneThatWasOffered) {
  policy.torchscript = {sha256(file)};
  start_site();
  offer_script();
  file.push_back(std::byte{1});
  hub.send_stream({.kind = net::StreamKind::kTorchScript}, file);
  EXPECT_EQ(hub.expect<net::Refusal>().code, RefusalCode::kSitePolicy);
  EXPECT_THROW((void)site.get(), std::runtime_error);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "state" / "model.torchscript"));
}

TEST_F(SiteClientTest, RefusesAServerWhoseModelDoesNotFitTheData) {
  use(site_job());
  start_site();
  (void)hub.greet();
  auto other = offer(0);
  other.model_hash += 1;
  (void)hub.say(other, hub.last.id);
  EXPECT_EQ(hub.expect<net::Refusal>().code, RefusalCode::kOtherSchema);
  EXPECT_THROW((void)site.get(), std::runtime_error);
}

TEST_F(SiteClientTest, TrainsOnWhileTheServerIsAway) {
  use(site_job());
  Reference reference(*this);
  start_site();
  enrol();
  auto what = round(0);
  what.steps = 1000;
  dispatch(what);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  hub.cut();
  const auto join = hub.greet();
  EXPECT_EQ(join.open_round, 0);
  (void)hub.say(offer(kNumber), hub.last.id);
  (void)hub.say(what);  // of a server that did not look
  const auto begin = take_update();
  EXPECT_EQ(begin.steps, 1000);
  EXPECT_EQ(hub.upload, reference.train(what));
  acknowledge(begin);
  dispatch(round(1));
  const auto next = take_update();
  EXPECT_EQ(next.round, 1) << "the first is not trained twice";
  acknowledge(next);
  EXPECT_EQ(finish().rounds, 2);
}

TEST_F(SiteClientTest, TheFinalModelEndsARound) {
  use(site_job());
  start_site();
  enrol();
  auto what = round(0);
  what.steps = 100'000'000;
  dispatch(what);
  const SiteOutcome outcome = finish();
  EXPECT_EQ(outcome.kind, SiteOutcome::Kind::kFinished);
  EXPECT_EQ(outcome.rounds, 0);
}

class SiteCheckTest : public SiteClientTest {
 protected:
  [[nodiscard]] net::DialerOptions dialing() {
    return {.server = {.host = "127.0.0.1", .port = hub.port()},
            .own = own,
            .authorities = federation.files().certificate,
            .lists = federation.files().list,
            .limits = {}};
  }
  /// Names of what is checked; "-" before what has failed.
  [[nodiscard]] static std::string names(const std::vector<SiteCheck>& checks) {
    std::string text;
    for (const auto& check : checks) text += (check.is_ok ? " " : " -") + check.what;
    return text;
  }
};

TEST_F(SiteCheckTest, TriesAllThatComesBeforeTrainingAndEnrolsNobody) {
  use(site_job());
  auto checks = std::async(std::launch::async, [&] { return check_site(options(), dialing()); });
  EXPECT_EQ(hub.greet().schema_hash, 0U);
  (void)hub.say(offer(0), hub.last.id);
  (void)hub.expect<net::Goodbye>();
  const auto found = checks.get();
  EXPECT_EQ(names(found), " certificate CA and revocation list route server policy data");
  EXPECT_TRUE(all_ok(found)) << to_text(found);
  EXPECT_EQ(found.back().text, "270 samples; synthetic to classify: float32 [32]; 10 classes");
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "state"));
}

TEST_F(SiteCheckTest, SaysWhatIsWrongAndLeavesOutWhatHangsOnIt) {
  use(site_job());
  auto bad = dialing();
  bad.own = federation.member("other", net::Role::kSite);
  EXPECT_EQ(names(check_site(options(), bad)), " -certificate CA and revocation list");
  bad = dialing();
  bad.own = federation.member("clinic-2", net::Role::kSite, -9, -1);
  auto mine = options();
  mine.own.site = "clinic-2";
  const auto expired = check_site(mine, bad);
  EXPECT_EQ(names(expired), " -certificate CA and revocation list");
  EXPECT_NE(expired[0].text.find("was valid until"), std::string::npos);
  bad = dialing();
  bad.server.port = 1;
  EXPECT_EQ(names(check_site(options(), bad)), " certificate CA and revocation list -route");

  policy.require_privacy = true;
  auto checks = std::async(std::launch::async, [&] { return check_site(options(), dialing()); });
  (void)hub.greet();
  (void)hub.say(offer(0), hub.last.id);
  EXPECT_EQ(names(checks.get()), " certificate CA and revocation list route server -policy");
  (void)hub.expect<net::Goodbye>();
  policy = {};
  checks = std::async(std::launch::async, [&] { return check_site(options(), dialing()); });
  (void)hub.greet();
  auto other = offer(0);
  other.model_hash += 1;
  (void)hub.say(other, hub.last.id);
  const auto found = checks.get();
  EXPECT_EQ(names(found), " certificate CA and revocation list route server policy -data");
  EXPECT_FALSE(all_ok(found));
}

TEST_F(SiteCheckTest, AServerThatRefusesIsNotOk) {
  use(site_job());
  auto checks = std::async(std::launch::async, [&] { return check_site(options(), dialing()); });
  (void)hub.greet();
  (void)hub.say(net::Refusal{.code = RefusalCode::kUnknownSite, .text = "who?"}, hub.last.id);
  EXPECT_EQ(names(checks.get()), " certificate CA and revocation list route -server");
}

TEST_F(SiteClientTest, OnlyOneProcessHasAStateFolder) {
  use(site_job());
  start_site();
  enrol();
  EXPECT_THROW(SiteClient(options(), {.dial = {}, .cancel = [] {}, .waits = {}}), ConfigError);
}

}  // namespace
}  // namespace convoy::tests
