// SPDX-License-Identifier: Apache-2.0
// A whole site against a server that the test speaks for, over real TLS.
#include "trainer/sites/site_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <numeric>
#include <random>

#include "base/errors.h"
#include "base/file.h"
#include "compress/update/reference_trajectory.h"
#include "scheduler/net/dialer.h"
#include "tests/trainer/sites/site_client_fixture.h"
#include "trainer/federated/client_end.h"
#include "trainer/federated/federation_data.h"
#include "trainer/federated/update_layers.h"
#include "trainer/parallel/replicas.h"

namespace convoy::tests {
namespace {

using namespace trainer;
using net::RefusalCode;

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
  refuse_update();
  reference.take_back();
  // The model is held. What is owed already is taken back once, however often that is said.
  EXPECT_EQ(joined.held_version, 1);
  (void)hub.say(round(1, /*take_back=*/true));
  (void)take_update();
  EXPECT_EQ(hub.upload, reference.train(round(1)));
  refuse_update();
  reference.take_back();
  stop_site();
  (void)hub.expect<net::Goodbye>();

  start_site();
  enrol();
  EXPECT_FALSE(joined.pending_update);
  dispatch(round(1));  // of what it owes the new process knows without being told
  const auto last = take_update();
  EXPECT_EQ(hub.upload, reference.train(round(1)));
  acknowledge(last);
  EXPECT_EQ(finish().updates, 1);
}

/// Without compression nothing is owed; the round is open all the same.
TEST_F(SiteClientTest, ANewProcessTrainsARoundWhoseUpdateWasGivenUp) {
  use(site_job());
  start_site();
  enrol();
  dispatch(round(0));
  const auto first = take_update();
  refuse_update();
  stop_site();
  (void)hub.expect<net::Goodbye>();

  start_site();
  enrol();
  dispatch(round(0));
  const auto again = take_update();
  EXPECT_EQ(again.round, 0);
  EXPECT_NE(again.update_id, first.update_id);
  acknowledge(again);
  EXPECT_EQ(finish().updates, 1);
}

/// A server that was restored from an older snapshot asks for what it has acknowledged.
TEST_F(SiteClientTest, WhatTheServerHasForgottenIsSentAgain) {
  for (const bool in_a_new_process : {false, true}) {
    use(site_job("top_k"));
    Reference reference(*this);
    start_site();
    enrol();
    dispatch(round(0));
    const auto first = take_update();
    const auto bytes = hub.upload;
    EXPECT_EQ(bytes, reference.train(round(0)));
    acknowledge(first);
    if (in_a_new_process) {
      stop_site();
      (void)hub.expect<net::Goodbye>();
      start_site();
      enrol();
      dispatch(round(0));
    } else {
      (void)hub.say(round(0));
    }
    const auto again = take_update();
    EXPECT_EQ(again, first);
    EXPECT_EQ(hub.upload, bytes);
    acknowledge(again);
    dispatch(round(1));
    const auto next = take_update();
    EXPECT_EQ(hub.upload, reference.train(round(1)));
    acknowledge(next);
    EXPECT_EQ(finish().updates, in_a_new_process ? 1 : 2) << "one update counts once";
    std::filesystem::remove_all(folder.path() / "state");
  }
}

/// The same number from another model: another history, in which nothing has been trained.
TEST_F(SiteClientTest, ARoundFromAnotherVersionIsTrainedAnew) {
  use(site_job());
  start_site();
  enrol();
  dispatch(round(0));
  const auto first = take_update();
  acknowledge(first);
  auto other = round(0);
  other.version = 5;
  dispatch(other);
  const auto next = take_update();
  EXPECT_NE(next.update_id, first.update_id);
  EXPECT_EQ(next.version, 5);
  acknowledge(next);
  EXPECT_EQ(finish().updates, 2);
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

TEST_F(SiteClientTest, OnlyOneProcessHasAStateFolder) {
  use(site_job());
  start_site();
  enrol();
  EXPECT_THROW(SiteClient(options(), {.dial = {}, .cancel = [] {}, .waits = {}}), ConfigError);
}

}  // namespace
}  // namespace convoy::tests
