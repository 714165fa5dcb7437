// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/site_line.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "tests/trainer/sites/fake_connection.h"

namespace convoy::tests {
namespace {

using namespace std::chrono_literals;
using net::RefusalCode;
using trainer::JobCame;
using trainer::LineDialing;
using trainer::LinkEnded;
using trainer::SiteLine;

/// A server as the dialling thread finds it: each dial takes the next of `steps`.
class DialTest : public ::testing::Test {
 protected:
  using User = std::shared_ptr<net::ConnectionUser>;
  /// Runs in post(), when the site has said Hello.
  using Step = std::function<void(net::ConnectionUser&, FakeConnection&)>;

  /// A connection that lets a step of the test happen after the first task.
  class Scripted final : public net::Connection {
   public:
    Scripted(User user, Step step) : user_(std::move(user)), step_(std::move(step)) {}
    void post(std::function<void()> task) override {
      const std::lock_guard lock(mutex_);  // one after the other, as on a connection's thread
      task();
      if (step_) std::exchange(step_, nullptr)(*user_, inner);
      if (inner.is_closed && !std::exchange(is_told_, true)) user_->on_closed("");
    }
    std::uint64_t send(const net::Message& message, std::uint64_t answers) override {
      return inner.send(message, answers);
    }
    void send_chunk(const net::Chunk& chunk) override { inner.send_chunk(chunk); }
    [[nodiscard]] std::size_t queued_bytes() const override { return 0; }
    void close() override { inner.close(); }
    void abort(const std::string& why) override { user_->on_closed(why); }
    [[nodiscard]] const net::PeerIdentity& peer() const override { return inner.peer(); }
    [[nodiscard]] std::string address() const override { return "fake"; }
    [[nodiscard]] std::chrono::steady_clock::time_point last_heard() const override { return {}; }

   private:
    std::recursive_mutex mutex_;
    User user_;
    Step step_;
    bool is_told_ = false;
    FakeConnection inner;
  };

  LineDialing dialing(std::vector<Step> steps) {
    return {.dial = [this, steps](const User& user) -> std::shared_ptr<net::Connection> {
              const auto number = static_cast<std::size_t>(dials++);
              if (number >= steps.size() || !steps[number]) {
                throw net::DialError("connect hub: refused", number >= steps.size());
              }
              return std::make_shared<Scripted>(user, steps[number]);
            },
            .cancel = [] {},
            .waits = {.first = 1ms, .most = 5ms},
            .seed = 1};
  }
  std::optional<trainer::LinkEvent> first_event(std::vector<Step> steps) {
    SiteLine line(dialing(std::move(steps)), {.site = "clinic", .instance = "i", .software = ""},
                  [] { return net::Progress{}; });
    return line.next(10s);
  }

  static void offer(net::ConnectionUser& user, FakeConnection&) {
    user.on_message(net::Welcome{.server = "hub", .run = "run-1", .liveness_ms = 20}, 1, 1);
    user.on_message(net::JobOffer{.job = "[model]"}, 2, 2);
  }
  static Step refuse(RefusalCode code, std::int64_t liveness_ms = 20) {
    return [=](net::ConnectionUser& user, FakeConnection& connection) {
      user.on_message(net::Welcome{.server = "hub", .run = "run-1", .liveness_ms = liveness_ms}, 1,
                      1);
      user.on_message(net::Refusal{.code = code, .text = "no"}, 2, 2);
      EXPECT_TRUE(connection.is_closed);
    };
  }

  std::atomic<int> dials = 0;
};

TEST_F(DialTest, DialsAgainUntilTheServerIsThere) {
  const auto cut = [](net::ConnectionUser& user, FakeConnection&) { user.on_closed("reset"); };
  const auto event = first_event({nullptr, nullptr, cut, nullptr, offer});
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<JobCame>(*event).welcome.run, "run-1");
  EXPECT_EQ(dials, 5);
}

TEST_F(DialTest, EndsWhereDiallingAgainDoesNotHelp) {
  const auto event = first_event({nullptr, nullptr});
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<LinkEnded>(*event).text, "connect hub: refused");
  EXPECT_TRUE(std::get<LinkEnded>(*event).needs_mending);
  EXPECT_EQ(dials, 3);
  dials = 0;
  const auto refused = first_event({refuse(RefusalCode::kUnknownSite), offer});
  ASSERT_TRUE(refused);
  EXPECT_EQ(std::get<LinkEnded>(*refused).code, RefusalCode::kUnknownSite);
  EXPECT_TRUE(std::get<LinkEnded>(*refused).needs_mending);
  EXPECT_EQ(dials, 1);
}

TEST_F(DialTest, ARevokedCertificateIsForGoodAndAnOldListOfTheServerIsNot) {
  const auto alert = [](const std::string& about) {
    return [about](net::ConnectionUser& user, FakeConnection&) {
      user.on_closed("the server has refused our certificate: " + about);
    };
  };
  const auto event =
      first_event({alert("it is not accepted there"), alert("it is revoked"), offer});
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<LinkEnded>(*event).text,
            "the server has refused our certificate: it is revoked");
  EXPECT_TRUE(std::get<LinkEnded>(*event).needs_mending);
  EXPECT_EQ(dials, 2);
}

TEST_F(DialTest, WaitsForItsDeadForerunnerButNotForALivingOne) {
  const Step patient = refuse(RefusalCode::kSecondInstance, 60'000);
  const auto early = first_event({patient, patient, offer});
  ASSERT_TRUE(early);
  EXPECT_TRUE(std::holds_alternative<JobCame>(*early));
  dials = 0;
  const auto late = first_event(std::vector<Step>(1000, refuse(RefusalCode::kSecondInstance)));
  ASSERT_TRUE(late);
  EXPECT_EQ(std::get<LinkEnded>(*late).code, RefusalCode::kSecondInstance);
  EXPECT_FALSE(std::get<LinkEnded>(*late).needs_mending) << "the other process may end";
  EXPECT_GE(dials, 2);
  EXPECT_LT(dials, 500);
}

/// As net::Dialer: what is cancelled before a dial begins is not cancelled.
TEST_F(DialTest, HangingUpEndsADialThatBeginsAfterwards) {
  std::atomic<int> cancelled = 0;
  LineDialing slow = dialing({});
  slow.cancel = [&] { ++cancelled; };
  slow.dial = [&](const User&) -> std::shared_ptr<net::Connection> {
    ++dials;
    while (cancelled == 0) std::this_thread::sleep_for(1ms);
    const int before = cancelled;
    for (int i = 0; i < 5000 && cancelled == before; ++i) std::this_thread::sleep_for(1ms);
    EXPECT_GT(cancelled, before) << "nobody cancels any more";
    throw net::DialError("connect hub: cancelled", false);
  };
  SiteLine line(std::move(slow), {.site = "clinic", .instance = "i", .software = ""},
                [] { return net::Progress{}; });
  while (dials == 0) std::this_thread::sleep_for(1ms);
  line.hang_up("enough");
  EXPECT_EQ(dials, 1);
}

TEST_F(DialTest, HangingUpEndsAConnectionThatComesAboutAfterwards) {
  std::atomic<bool> is_cancelled = false;
  LineDialing late = dialing({});
  late.cancel = [&] { is_cancelled = true; };
  std::atomic<int> said = 0;
  late.dial = [&](const User& user) -> std::shared_ptr<net::Connection> {
    ++dials;
    while (!is_cancelled) std::this_thread::sleep_for(1ms);  // and is connected all the same
    return std::make_shared<Scripted>(user, [&](net::ConnectionUser&, FakeConnection& connection) {
      said += static_cast<int>(connection.sent.size());
    });
  };
  SiteLine line(std::move(late), {.site = "clinic", .instance = "i", .software = ""},
                [] { return net::Progress{}; });
  while (dials == 0) std::this_thread::sleep_for(1ms);
  line.hang_up("enough");
  EXPECT_EQ(dials, 1);
  EXPECT_EQ(said, 0) << "not even Hello";
}

/// @return how long the line takes for ten connections, each of which `step` speaks for.
std::chrono::milliseconds time_of_ten(SiteLine& line, const std::atomic<int>& dials) {
  const auto begin = std::chrono::steady_clock::now();
  while (dials <= 10) (void)line.next(1ms);
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
}

TEST_F(DialTest, AJobAloneDoesNotMakeWaitsShortAgainAndARoundDoes) {
  const Step cut = [](net::ConnectionUser& user, FakeConnection& connection) {
    offer(user, connection);
    user.on_closed("reset");
  };
  const Step cut_after_round = [](net::ConnectionUser& user, FakeConnection& connection) {
    offer(user, connection);
    user.on_message(net::Dispatch{.round = 1, .version = 7}, 3, 0);
    user.on_closed("reset");
  };
  for (const bool has_round : {false, true}) {
    dials = 0;
    LineDialing patient = dialing(std::vector<Step>(12, has_round ? cut_after_round : cut));
    patient.waits = {.first = 4ms, .most = 60'000ms};
    SiteLine line(std::move(patient), {.site = "clinic", .instance = "i", .software = ""},
                  [] { return net::Progress{}; });
    line.tell([](trainer::SiteLink& link) {
      link.join_as("run-1", {.samples = 5, .schema_hash = 7});
      link.hold(7);
    });
    const auto time = time_of_ten(line, dials);
    // From half of 4 + 8 + ... + 2048 ms on; else at most ten times 4 ms.
    EXPECT_EQ(time < 2s, has_round) << time.count();
  }
}

TEST_F(DialTest, TasksRunInOrderBeforeTheNextConnectionSpeaks) {
  std::vector<int> ran;
  SiteLine line(dialing({nullptr, nullptr, nullptr, offer}),
                {.site = "clinic", .instance = "i", .software = ""},
                [] { return net::Progress{}; });
  line.tell([&](trainer::SiteLink&) { ran.push_back(1); });
  line.tell([&](trainer::SiteLink&) { ran.push_back(2); });
  ASSERT_TRUE(line.next(10s));
  line.hang_up("enough");
  EXPECT_EQ(ran, (std::vector<int>{1, 2}));
}

}  // namespace
}  // namespace convoy::tests
