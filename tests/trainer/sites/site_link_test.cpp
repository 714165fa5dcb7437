// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/site_link.h"

#include <gtest/gtest.h>

#include "tests/trainer/sites/fake_connection.h"

namespace convoy::tests {
namespace {

using namespace std::chrono_literals;
using net::RefusalCode;
using trainer::FinalCame;
using trainer::JobCame;
using trainer::LinkEnded;
using trainer::LinkEvent;
using trainer::OfferedUpdate;
using trainer::RoundCame;
using trainer::SiteLink;
using trainer::UpdateAnswered;

std::vector<std::byte> some_bytes(std::size_t count, int seed = 1) {
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i) {
    bytes[i] = static_cast<std::byte>((i * 7 + i / 251 + static_cast<std::size_t>(seed)) % 256);
  }
  return bytes;
}

OfferedUpdate an_update(const std::vector<std::byte>& bytes, std::int64_t round = 3) {
  return {.begin = {.update_id = "r3-a",
                    .sha256 = sha256(bytes),
                    .bytes = std::ssize(bytes),
                    .round = round,
                    .finite = !bytes.empty()},
          .source =
              [bytes](std::int64_t offset, std::span<std::byte> out) {
                std::copy_n(bytes.begin() + offset, out.size(), out.begin());
              },
          .run = "run-1"};
}

/// A site's link and a server that the test speaks for.
class SiteLinkTest : public ::testing::Test {
 protected:
  void connect() {
    connection = std::make_shared<FakeConnection>();
    server_id = 0;
    link.open(connection);
  }
  std::uint64_t says(const net::Message& message, std::uint64_t answers = 0) {
    link.on_message(message, ++server_id, answers);
    return server_id;
  }
  void welcome(const std::string& run = "run-1") {
    says(net::Welcome{.server = "hub", .run = run, .heartbeat_ms = 1000, .liveness_ms = 5000});
  }
  /// Up to where rounds may come.
  void join() {
    connect();
    welcome();
    says(net::JobOffer{.job = "[model]"});
    link.join_as("run-1", {.samples = 50, .schema_hash = 7, .threads = 2});
    says(net::JobOffer{.job = "[model]", .client = 4});
    link.take_model(1 << 20);
  }
  std::uint64_t sends_model(const std::vector<std::byte>& bytes, std::int64_t version,
                            net::StreamKind kind = net::StreamKind::kModel) {
    const auto id = says(net::ModelBegin{
        .kind = kind, .version = version, .sha256 = sha256(bytes), .bytes = std::ssize(bytes)});
    if (!connection->newest<net::StreamOffset>()) return id;
    link.on_chunk({.stream = id, .offset = 0, .bytes = bytes});
    says(net::StreamEnd{.stream = id, .sha256 = sha256(bytes)});
    return id;
  }
  void cut(const std::string& why = "reset") { link.on_closed(why); }
  template <typename T>
  std::vector<T> events() const {
    std::vector<T> found;
    for (const auto& event : heard) {
      if (const auto* one = std::get_if<T>(&event)) found.push_back(*one);
    }
    return found;
  }
  void pass(std::chrono::milliseconds time) {
    now += time;
    link.on_tick();
  }

  std::shared_ptr<FakeConnection> connection;
  std::uint64_t server_id = 0;
  std::vector<LinkEvent> heard;
  SiteLink::Time now{1000s};
  net::Progress progress;
  SiteLink link{{.site = "clinic", .instance = "i1", .software = "test"},
                {.tell = [this](LinkEvent event) { heard.push_back(std::move(event)); },
                 .progress = [this] { return progress; },
                 .now = [this] { return now; }}};
};

TEST_F(SiteLinkTest, AsksForTheJobAndThenJoins) {
  connect();
  EXPECT_EQ(connection->newest<net::Hello>()->name, "clinic");
  EXPECT_EQ(connection->newest<net::Hello>()->instance, "i1");
  welcome();
  EXPECT_EQ(connection->newest<net::Join>()->schema_hash, 0U);
  says(net::JobOffer{.job = "[model]"});
  ASSERT_EQ(events<JobCame>().size(), 1U);
  EXPECT_FALSE(events<JobCame>()[0].is_enrolled);
  EXPECT_EQ(connection->count<net::Join>(), 1);

  link.join_as("run-1", {.samples = 50, .schema_hash = 7, .threads = 2});
  const auto join = connection->newest<net::Join>();
  EXPECT_EQ(join->samples, 50);
  EXPECT_EQ(join->schema_hash, 7U);
  EXPECT_FALSE(join->held_version || join->pending_update || join->open_round);
  says(net::JobOffer{.job = "[model]", .client = 4});
  ASSERT_EQ(events<JobCame>().size(), 2U);
  EXPECT_TRUE(events<JobCame>()[1].is_enrolled);
  EXPECT_EQ(events<JobCame>()[1].offer.client, 4);
}

TEST_F(SiteLinkTest, HandsOutARoundWhenItsModelIsWhole) {
  join();
  const auto model = some_bytes(5000);
  says(net::Dispatch{.round = 2, .version = 9});
  EXPECT_TRUE(events<RoundCame>().empty());
  sends_model(model, 9);
  ASSERT_EQ(events<RoundCame>().size(), 1U);
  EXPECT_EQ(events<RoundCame>()[0].model->bytes, model);
  // The server does not send again what is held.
  says(net::Dispatch{.round = 3, .version = 9});
  ASSERT_EQ(events<RoundCame>().size(), 2U);
  EXPECT_FALSE(events<RoundCame>()[1].model);
}

TEST_F(SiteLinkTest, LetsNoSecondModelComeBeforeTheFirstIsTaken) {
  join();
  says(net::Dispatch{.round = 2, .version = 9});
  sends_model(some_bytes(5000), 9);
  says(net::Dispatch{.round = 3, .version = 10});
  const int before = connection->count<net::StreamOffset>();
  const auto other = some_bytes(5000, 2);
  says(net::ModelBegin{.version = 10, .sha256 = sha256(other), .bytes = 5000});
  EXPECT_EQ(connection->count<net::StreamOffset>(), before);
  link.take_model(1 << 20);
  EXPECT_EQ(connection->count<net::StreamOffset>(), before + 1);
}

TEST_F(SiteLinkTest, RefusesAModelThatIsTooLargeOrHasOtherBytes) {
  join();
  says(net::Dispatch{.round = 2, .version = 9});
  const auto id = says(net::ModelBegin{.version = 9, .sha256 = {}, .bytes = (1 << 20) + 1});
  EXPECT_EQ(connection->newest<net::Refusal>()->code, RefusalCode::kBadStream);
  EXPECT_EQ(connection->last().answers, id);
  auto model = some_bytes(5000);
  const auto second =
      says(net::ModelBegin{.version = 9, .sha256 = sha256(model), .bytes = std::ssize(model)});
  model[77] ^= std::byte{1};
  link.on_chunk({.stream = second, .offset = 0, .bytes = model});
  says(net::StreamEnd{.stream = second, .sha256 = sha256(some_bytes(5000))});
  EXPECT_EQ(connection->last().answers, second);
  EXPECT_EQ(connection->count<net::Refusal>(), 2);
  EXPECT_TRUE(events<RoundCame>().empty());
  sends_model(some_bytes(5000), 9);
  EXPECT_EQ(events<RoundCame>().size(), 1U) << "the server sends it again";
}

TEST_F(SiteLinkTest, ARefusedModelComesAgain) {
  join();
  says(net::Dispatch{.round = 2, .version = 9});
  const auto stream = sends_model(some_bytes(500), 9);
  link.refuse_model(events<RoundCame>()[0], "other bits");
  EXPECT_EQ(connection->last().answers, stream);
  EXPECT_EQ(connection->newest<net::Refusal>()->code, RefusalCode::kBadStream);
  link.take_model(1 << 20);
  sends_model(some_bytes(600), 9);
  ASSERT_EQ(events<RoundCame>().size(), 2U);
  EXPECT_EQ(events<RoundCame>()[1].dispatch.round, 2);
  EXPECT_EQ(events<RoundCame>()[1].model->bytes.size(), 600U);
}

TEST_F(SiteLinkTest, AModelGoesOnWhereTheConnectionWasCut) {
  join();
  const auto model = some_bytes(9000);
  const net::ModelBegin begin{.version = 9, .sha256 = sha256(model), .bytes = 9000};
  says(net::Dispatch{.round = 2, .version = 9});
  const auto first = says(begin);
  link.on_chunk({.stream = first, .offset = 0, .bytes = std::span(model).first(4000)});
  cut();
  connect();
  welcome();
  says(net::JobOffer{.job = "[model]", .client = 4});
  says(net::Dispatch{.round = 2, .version = 9});
  const auto second = says(begin);
  EXPECT_EQ(connection->newest<net::StreamOffset>()->offset, 4000);
  EXPECT_EQ(connection->newest<net::StreamOffset>()->stream, second);
  link.on_chunk({.stream = second, .offset = 4000, .bytes = std::span(model).subspan(4000)});
  says(net::StreamEnd{.stream = second, .sha256 = sha256(model)});
  ASSERT_EQ(events<RoundCame>().size(), 1U);
  EXPECT_EQ(events<RoundCame>()[0].model->bytes, model);
}

TEST_F(SiteLinkTest, SendsTheUpdateFromWhereTheServerSays) {
  join();
  const auto bytes = some_bytes(3'000'000);
  link.offer(an_update(bytes));
  const auto begin = connection->last().id;
  says(net::StreamOffset{.stream = begin, .offset = 1'000'000, .limit = 2'500'000}, begin);
  ASSERT_EQ(connection->chunks.size(), 2U);
  EXPECT_EQ(connection->chunks[0].offset, 1'000'000);
  EXPECT_EQ(connection->chunks[1].offset + std::ssize(connection->chunks[1].bytes), 2'500'000);
  EXPECT_EQ(connection->count<net::StreamEnd>(), 0);
  connection->queued = 0;
  says(net::StreamOffset{.stream = begin, .offset = 1'000'000, .limit = 3'000'000});
  EXPECT_EQ(connection->count<net::StreamEnd>(), 1);
  says(net::UploadAck{.update_id = "r3-a"});
  ASSERT_EQ(events<UpdateAnswered>().size(), 1U);
  EXPECT_TRUE(events<UpdateAnswered>()[0].is_accepted);
}

TEST_F(SiteLinkTest, SendsNoMoreThanTheNetworkTakes) {
  join();
  link.offer(an_update(some_bytes(8 << 20)));
  const auto begin = connection->last().id;
  says(net::StreamOffset{.stream = begin, .offset = 0, .limit = 8 << 20}, begin);
  EXPECT_EQ(connection->queued, std::size_t{2} << 20);
  connection->queued = 0;
  link.on_drained();
  EXPECT_EQ(connection->chunks.size(), 4U);
}

TEST_F(SiteLinkTest, OffersTheUpdateAgainAfterALostConnection) {
  join();
  link.hold(8);
  const auto bytes = some_bytes(2'000'000);
  link.offer(an_update(bytes));
  const auto begin = connection->last().id;
  says(net::StreamOffset{.stream = begin, .offset = 0, .limit = 1'000'000}, begin);
  cut();
  ASSERT_EQ(events<LinkEnded>().size(), 1U);
  EXPECT_FALSE(events<LinkEnded>()[0].is_final);
  connect();
  welcome();
  const auto join = connection->newest<net::Join>();
  EXPECT_EQ(join->schema_hash, 7U) << "the job is known";
  EXPECT_EQ(join->held_version, 8);
  EXPECT_EQ(join->pending_update, "r3-a");
  EXPECT_EQ(join->open_round, 3);
  EXPECT_EQ(connection->count<net::UploadBegin>(), 0);
  says(net::JobOffer{.job = "[model]", .client = 4});
  EXPECT_EQ(*connection->newest<net::UploadBegin>(), an_update(bytes).begin);
  says(net::UploadAck{.update_id = "r3-a", .duplicate = true});
  EXPECT_TRUE(events<UpdateAnswered>()[0].is_accepted);
}

TEST_F(SiteLinkTest, GivesUpWhatTheServerWillNeverUse) {
  join();
  for (const auto code : {RefusalCode::kOutOfRound, RefusalCode::kBadUpdate}) {
    EXPECT_FALSE(connection->is_closed);
    link.offer(an_update(some_bytes(100)));
    says(net::Refusal{.code = code, .text = "late"}, connection->last().id);
    EXPECT_FALSE(events<UpdateAnswered>().back().is_accepted);
  }
  EXPECT_EQ(events<UpdateAnswered>().size(), 2U);
}

/// Else the server would wait for its round for ever.
TEST_F(SiteLinkTest, JoinsAnewWithoutTheRoundOfAnUpdateThatWasGivenUp) {
  join();
  link.offer(an_update(some_bytes(100)));
  says(net::Refusal{.code = RefusalCode::kBadUpdate, .text = "too long"}, connection->last().id);
  EXPECT_TRUE(connection->newest<net::Goodbye>());
  EXPECT_TRUE(connection->is_closed);
  cut("");
  EXPECT_FALSE(events<LinkEnded>().back().is_final);
  connect();
  welcome();
  const auto join = connection->newest<net::Join>();
  EXPECT_FALSE(join->pending_update || join->open_round);
}

TEST_F(SiteLinkTest, TriesAgainLaterWhatTheServerCannotTakeNow) {
  join();
  link.offer(an_update(some_bytes(100)));
  says(net::Refusal{.code = RefusalCode::kFailed, .text = "disk full"}, connection->last().id);
  pass(1s);
  EXPECT_EQ(connection->count<net::UploadBegin>(), 1);
  pass(3s);
  EXPECT_EQ(connection->count<net::UploadBegin>(), 2);
  EXPECT_TRUE(events<UpdateAnswered>().empty());
}

TEST_F(SiteLinkTest, GivesUpAnUpdateThatArrivesDamagedThreeTimes) {
  join();
  link.offer(an_update(some_bytes(100)));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(events<UpdateAnswered>().empty());
    pass(10ms);
    says(net::Refusal{.code = RefusalCode::kBadStream}, connection->last().id);
  }
  ASSERT_EQ(events<UpdateAnswered>().size(), 1U);
  EXPECT_FALSE(events<UpdateAnswered>()[0].is_accepted);
  EXPECT_TRUE(connection->is_closed) << "the round is asked for again";
}

TEST_F(SiteLinkTest, TakesNoByteOfAnotherScriptThanTheOneThatWasOffered) {
  connect();
  welcome();
  const auto script = some_bytes(700);
  says(net::JobOffer{.job = "[model]", .torchscript_sha256 = sha256(script)});
  says(net::ModelBegin{
      .kind = net::StreamKind::kTorchScript, .sha256 = sha256(some_bytes(700, 2)), .bytes = 700});
  link.take_script(1000, sha256(script));
  EXPECT_EQ(connection->count<net::StreamOffset>(), 0);
  EXPECT_EQ(connection->newest<net::Refusal>()->code, RefusalCode::kSitePolicy);
  EXPECT_TRUE(connection->is_closed);
  cut("");
  EXPECT_TRUE(events<LinkEnded>().back().needs_mending);

  connect();
  welcome();
  says(net::JobOffer{.job = "[model]", .torchscript_sha256 = sha256(script)});
  sends_model(script, 0, net::StreamKind::kTorchScript);
  EXPECT_EQ(events<trainer::ScriptCame>().size(), 1U);
}

TEST_F(SiteLinkTest, OffersNoUpdateOfAnotherRun) {
  link.offer(an_update(some_bytes(100)));
  link.join_as("run-2", {.samples = 50, .schema_hash = 7});
  connect();
  welcome("run-2");
  says(net::JobOffer{.job = "[model]", .client = 1});
  EXPECT_EQ(connection->count<net::UploadBegin>(), 0);
  ASSERT_EQ(events<UpdateAnswered>().size(), 1U);
  EXPECT_FALSE(events<UpdateAnswered>()[0].is_accepted);
}

TEST_F(SiteLinkTest, GivesASignOfLifeOnlyWhenItHasBeenSilent) {
  join();
  progress = {.activity = net::Activity::kTraining, .round = 5, .steps_done = 8};
  pass(900ms);
  EXPECT_EQ(connection->count<net::Progress>(), 0);
  pass(200ms);
  ASSERT_EQ(connection->count<net::Progress>(), 1);
  EXPECT_EQ(*connection->newest<net::Progress>(), progress);
  pass(900ms);
  EXPECT_EQ(connection->count<net::Progress>(), 1);
}

TEST_F(SiteLinkTest, TakesAServerThatAnswersNothingForDead) {
  join();
  for (int i = 0; i < 5; ++i) {
    pass(1s);
    EXPECT_EQ(connection->aborted, "");
    says(net::Accepted{}, connection->last().id);
  }
  for (int i = 0; i < 6; ++i) pass(1s);
  EXPECT_EQ(connection->aborted, "");
  pass(1s);
  EXPECT_EQ(connection->aborted, "the server has answered no sign of life for 5 s");
}

TEST_F(SiteLinkTest, BytesOnTheirWayAreALifeSignOfTheServer) {
  join();
  for (int i = 0; i < 20; ++i) {
    connection->heard = now + 500ms;
    pass(1s);
  }
  EXPECT_EQ(connection->aborted, "");
}

TEST_F(SiteLinkTest, SomeRefusalsAreForGood) {
  for (const auto code : {RefusalCode::kUnknownSite, RefusalCode::kSecondInstance}) {
    connect();
    welcome();
    says(net::Refusal{.code = code, .text = "no"}, connection->last().id);
    EXPECT_TRUE(connection->is_closed);
    cut("");
    EXPECT_EQ(events<LinkEnded>().back().is_final, code == RefusalCode::kUnknownSite);
    EXPECT_EQ(events<LinkEnded>().back().needs_mending, code == RefusalCode::kUnknownSite);
    EXPECT_EQ(events<LinkEnded>().back().code, code);
  }
  EXPECT_EQ(events<LinkEnded>()[0].text, "the server refuses: unknown site: no");
}

TEST_F(SiteLinkTest, LeavesAndSaysSoUntilTheServerKnows) {
  join();
  link.leave(net::LeaveReason::kPrivacyBudget, "spent");
  EXPECT_EQ(connection->newest<net::Leave>()->reason, net::LeaveReason::kPrivacyBudget);
  cut();
  connect();
  welcome();
  says(net::JobOffer{.job = "[model]", .client = 4});
  EXPECT_EQ(connection->count<net::Leave>(), 1);
  EXPECT_TRUE(events<trainer::LeaveAccepted>().empty());
  says(net::Accepted{}, connection->last().id);
  EXPECT_EQ(events<trainer::LeaveAccepted>().size(), 1U);
}

TEST_F(SiteLinkTest, SaysThatTheFinalModelIsKept) {
  join();
  const auto model = some_bytes(700);
  const auto id = sends_model(model, 20, net::StreamKind::kFinalModel);
  ASSERT_EQ(events<FinalCame>().size(), 1U);
  EXPECT_EQ(connection->newest<net::StreamOffset>()->offset, 0);
  link.keep_final(events<FinalCame>()[0].model);
  EXPECT_EQ(connection->newest<net::StreamOffset>()->offset, 700);
  EXPECT_EQ(connection->newest<net::StreamOffset>()->stream, id);
  link.say_goodbye("done");
  EXPECT_TRUE(connection->is_closed);
}

}  // namespace
}  // namespace convoy::tests
