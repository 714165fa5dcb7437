// SPDX-License-Identifier: Apache-2.0
#include "scheduler/journal/journal.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/plain_name.h"
#include "scheduler/journal/storage_error.h"
#include "tests/scheduler/actions.h"
#include "tests/temporary_folder.h"

namespace convoy::tests {
namespace {

using namespace scheduler;
using namespace scheduler::journal;

RunId run_of(int number) {
  RunId run{};
  run[3] = static_cast<std::byte>(number);
  return run;
}

const Journal::Visitor kNothing = [](Sequence, const Entry&) {};

UpdateEntry update(const std::string& id, double time = 1.0) {
  return {.input = {.kind = Input::Kind::kArrive,
                    .time = time,
                    .update = {.client = 3, .round = 2, .local_steps = 40, .measures_speed = false},
                    .samples = 100,
                    .duration = 1.0 / 3.0},
          .site = "clinic",
          .id = id,
          .sha256 = sha256(id),
          .bytes = 12345678901,
          .facts = R"({"loss":0.5})"};
}

TEST(Entries, ComeBackAsTheyWere) {
  const UpdateEntry sent = update("u-1");
  const EncodedEntry encoded = encode(sent);
  const Entry decoded = decode(encoded.type, encoded.payload);
  const auto& got = std::get<UpdateEntry>(decoded);
  EXPECT_EQ(to_line(got.input, 5), to_line(sent.input, 5));
  EXPECT_EQ(got.input.samples, 100);
  EXPECT_FALSE(got.input.update.measures_speed);
  EXPECT_TRUE(got.input.update.finite);
  EXPECT_EQ(got.site, "clinic");
  EXPECT_EQ(got.facts, sent.facts);
  EXPECT_EQ(got.id, "u-1");
  EXPECT_EQ(got.sha256, sent.sha256);
  EXPECT_EQ(got.bytes, 12345678901U);
  for (const auto kind : {Input::Kind::kJoin, Input::Kind::kTimer, Input::Kind::kEvict,
                          Input::Kind::kLeave, Input::Kind::kShutdown}) {
    const InputEntry input{
        .input = {.kind = kind, .time = 0.1, .update = {.client = -4}, .samples = 9}, .site = "b"};
    const auto bytes = encode(input);
    const Entry back = decode(bytes.type, bytes.payload);
    EXPECT_EQ(std::get<InputEntry>(back).input.kind, kind);
    EXPECT_EQ(std::get<InputEntry>(back).input.time, 0.1);
    EXPECT_EQ(std::get<InputEntry>(back).input.update.client, -4);
    EXPECT_EQ(std::get<InputEntry>(back).input.samples, 9);
    EXPECT_EQ(std::get<InputEntry>(back).site, "b");
  }
  const auto command = encode(CommandEntry{2.5, "anna", "pause"});
  const Entry back = decode(command.type, command.payload);
  EXPECT_EQ(std::get<CommandEntry>(back).command, "pause");
  EXPECT_EQ(std::get<CommandEntry>(back).from, "anna");
  EXPECT_EQ(time_of(back), 2.5);
}

TEST(Entries, RefuseWhatIsNone) {
  EXPECT_THROW((void)encode(update("a/b")), ConfigError);
  const auto whole = encode(update("u"));
  for (std::size_t size = 0; size < whole.payload.size(); ++size) {
    EXPECT_THROW((void)decode(whole.type, std::span(whole.payload).first(size)), DamageError);
  }
  auto longer = whole.payload;
  longer.push_back(std::byte{});
  EXPECT_THROW((void)decode(whole.type, longer), DamageError);
  EXPECT_THROW((void)decode(999, {}), DamageError);
}

TEST(RunClock, StandsStillWhileTheServerIsDown) {
  double source = 1000.0;
  const auto read_source = [&] { return source; };
  RunClock first(read_source);
  EXPECT_EQ(first.start(), 0.0);
  source += 5.0;
  EXPECT_EQ(first.now(), 5.0);
  RunClock second(read_source);
  second.restore(first.state());
  second.observe(5.5);
  source += 3600.0;
  EXPECT_GT(second.start(), 5.5);
  EXPECT_DOUBLE_EQ(second.now(), 5.5);
  source += 1.0;
  EXPECT_DOUBLE_EQ(second.now(), 6.5);
  source -= 50.0;
  EXPECT_GE(second.now(), 5.5);
}

TEST(RunClock, KnowsWhichRoundsOverlappedAnOutage) {
  double source = 0.0;
  RunClock clock([&] { return source; });
  clock.observe(10.0);
  const double start = clock.start();
  EXPECT_TRUE(clock.was_down_between(9.0, 11.0));
  EXPECT_TRUE(clock.was_down_between(10.0, 10.5)) << "assigned by the last entry before the crash";
  EXPECT_FALSE(clock.was_down_between(8.0, 10.0)) << "arrived with that entry";
  EXPECT_FALSE(clock.was_down_between(start, 20.0));
  EXPECT_FALSE(clock.was_down_between(1.0, 9.0));
  RunClock fresh;
  (void)fresh.start();
  EXPECT_FALSE(fresh.was_down_between(0.0, 1e9)) << "the first start ends no outage";
}

TEST(Journal, TellsEverythingAgain) {
  const TemporaryFolder folder;
  double source = 0.0;
  const JournalOptions options{.clock = [&] { return source; }};
  {
    Journal journal(folder / "log", run_of(1), "", kNothing, options);
    EXPECT_THROW((void)journal.record(update("u0")), ContractError) << "not started";
    journal.start();
    const auto sequence = journal.record(update("u1", 4.0));
    EXPECT_LE(journal.durable(), sequence);
    journal.sync(sequence);
    EXPECT_GT(journal.durable(), sequence);
    EXPECT_EQ(journal.find("clinic", "u1"), sequence);
    EXPECT_FALSE(journal.find("clinic", "u2"));
    EXPECT_FALSE(journal.find("other", "u1"));
    EXPECT_THROW((void)journal.record(update("u1")), ContractError);
  }
  source = 999.0;
  std::vector<Entry> entries;
  Journal journal(
      folder / "log", run_of(1), "",
      [&](Sequence sequence, const Entry& entry) {
        EXPECT_EQ(sequence, entries.size());
        entries.push_back(entry);
      },
      options);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(std::get<UpdateEntry>(entries[1]).id, "u1");
  EXPECT_TRUE(journal.find("clinic", "u1"));
  journal.start();
  EXPECT_DOUBLE_EQ(journal.clock().now(), 4.0);
  EXPECT_TRUE(journal.clock().was_down_between(3.9, 4.1));
}

TEST(Journal, ACheckpointHoldsClockAndIds) {
  const TemporaryFolder folder;
  double source = 0.0;
  const JournalOptions options{.ids_per_site = 3, .clock = [&] { return source; }};
  std::string saved;
  {
    Journal journal(folder / "log", run_of(1), "", kNothing, options);
    journal.start();
    for (int i = 0; i < 5; ++i) (void)journal.record(update("u" + std::to_string(i)));
    source = 7.0;
    saved = journal.save();
    (void)journal.record(update("after", 7.5));
    journal.checkpoint_is_durable(saved);
    journal.stop();
  }
  std::size_t entries = 0;
  Journal journal(
      folder / "log", run_of(1), saved, [&](Sequence, const Entry&) { ++entries; }, options);
  EXPECT_EQ(entries, 2U) << "the update after it, and the stop";
  for (const char* id : {"u3", "u4", "after"}) EXPECT_TRUE(journal.find("clinic", id)) << id;
  EXPECT_FALSE(journal.find("clinic", "u1")) << "three are remembered";
  journal.start();
  EXPECT_DOUBLE_EQ(journal.clock().now(), 7.5);
  EXPECT_THROW(Journal(folder / "log2", run_of(2), saved, kNothing), ConfigError);
  EXPECT_THROW(Journal(folder / "log3", run_of(1), saved, kNothing), DamageError)
      << "it is missing";
  // An operator gives the log up.
  Journal without(folder / "log2", run_of(2), saved, kNothing,
                  {.clock = options.clock, .without_old_log = true});
  EXPECT_TRUE(without.find("clinic", "u4"));
  EXPECT_FALSE(without.find("clinic", "after")) << "lost with the log";
  without.start();
  without.sync(*without.find("clinic", "u4"));
  EXPECT_DOUBLE_EQ(without.clock().now(), 7.0);
}

TEST(Journal, BegunAnewGoesOnWhereTheCheckpointEnds) {
  const TemporaryFolder folder;
  std::string saved;
  Sequence last = 0;
  {
    Journal journal(folder / "log", run_of(1), "", kNothing);
    journal.start();
    for (int i = 0; i < 5; ++i) last = journal.record(update("u" + std::to_string(i)));
    saved = journal.save();
  }
  EXPECT_THROW(
      Journal(folder / "log", run_of(1), saved, kNothing, {.clock = {}, .without_old_log = true}),
      ConfigError)
      << "the log is there";
  std::filesystem::remove_all(folder / "log");
  {
    Journal anew(folder / "log", run_of(1), saved, kNothing,
                 {.clock = {}, .without_old_log = true});
    anew.start();
    EXPECT_GT(anew.record(update("u5")), last) << "a number stands for one entry";
    anew.stop();
  }
  std::size_t entries = 0;
  const Journal again(folder / "log", run_of(1), saved, [&](Sequence, const Entry&) { ++entries; });
  EXPECT_EQ(entries, 3U) << "start, update and stop, without being told that a log was lost";
  EXPECT_TRUE(again.find("clinic", "u5"));
}

TEST(RunIdFile, IsMadeOnce) {
  const TemporaryFolder folder;
  const RunId run = run_id_in(folder / "a/run-id");
  EXPECT_EQ(run_id_in(folder / "a/run-id"), run);
  EXPECT_NE(run_id_in(folder / "b/run-id"), run);
  EXPECT_THROW((void)run_id_in(folder.file("bad", to_hex(run))), DamageError);
}

TEST(Outages, GiveNoSpeedSample) {
  Driver driver = two_in_a_group();
  (void)driver.update(200.0, 1);
  const Assign before = driver.assigned(2);
  // As quick as light, if one believed the clock.
  (void)driver.policy().update(200.5, {.client = 2,
                                       .round = before.round,
                                       .local_steps = before.local_steps,
                                       .measures_speed = false});
  const auto state = driver.policy().save();
  Driver other = two_in_a_group();
  (void)other.update(200.0, 1);
  (void)other.policy().update(
      200.5, {.client = 2, .round = before.round, .local_steps = before.local_steps});
  EXPECT_NE(state.find("\"ratio\":1.0"), std::string::npos) << state;
  EXPECT_NE(state, other.policy().save());
}

TEST(Outages, InTheFirstRoundTheNextOneMeasures) {
  const auto policy = make_policy(usual_policy());
  (void)policy->join(0.0, 1, 1);
  const auto actions =
      policy->update(3.0, {.client = 1, .round = 0, .local_steps = 100, .measures_speed = false});
  const auto assigned = of_kind<Assign>(actions);
  ASSERT_EQ(assigned.size(), 1U);
  EXPECT_EQ(assigned[0].kind, Assign::Kind::kFirst);
  EXPECT_EQ(aggregations(actions), std::vector<std::string>{"first [1]"});
  const auto next = of_kind<Assign>(
      policy->update(103.0, {.client = 1, .round = 1, .local_steps = assigned[0].local_steps}));
  ASSERT_EQ(next.size(), 1U);
  EXPECT_EQ(next[0].kind, Assign::Kind::kNext);
}

}  // namespace
}  // namespace convoy::tests
