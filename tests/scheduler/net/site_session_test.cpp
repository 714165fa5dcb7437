// SPDX-License-Identifier: Apache-2.0
// The server's end of a site's connection, with a connection that the test plays.
#include "scheduler/net/site_session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <fstream>
#include <limits>

#include "base/sha256.h"
#include "tests/scheduler/net/log_capture.h"
#include "tests/temporary_folder.h"

namespace convoy::tests {
namespace {

using net::Chunk;
using net::Message;
using net::Refusal;
using net::RefusalCode;
using net::SessionPtr;

class FakeConnection final : public net::Connection {
 public:
  explicit FakeConnection(net::Role role) {
    peer_.name = "clinic";
    peer_.role = role;
  }
  void post(std::function<void()> task) override { task(); }
  std::uint64_t send(const Message& message, std::uint64_t answers) override {
    sent.emplace_back(message, answers);
    return ++id_;
  }
  void send_chunk(const Chunk& chunk) override {
    chunks += std::string(reinterpret_cast<const char*>(chunk.bytes.data()), chunk.bytes.size());
  }
  [[nodiscard]] std::size_t queued_bytes() const override { return 0; }
  void close() override { is_closed = true; }
  void abort(const std::string& why) override { aborted = why; }
  [[nodiscard]] const net::PeerIdentity& peer() const override { return peer_; }
  [[nodiscard]] std::string address() const override { return "10.0.0.7:1234"; }
  [[nodiscard]] std::chrono::steady_clock::time_point last_heard() const override { return heard; }

  /// The newest message, if it is of this type.
  template <typename T>
  [[nodiscard]] const T* newest() const {
    return sent.empty() ? nullptr : std::get_if<T>(&sent.back().first);
  }

  std::vector<std::pair<Message, std::uint64_t>> sent;
  std::string chunks;
  bool is_closed = false;
  std::string aborted;
  std::chrono::steady_clock::time_point heard = std::chrono::steady_clock::now();

 private:
  net::PeerIdentity peer_;
  std::uint64_t id_ = 100;
};

class FakeCore final : public net::ServerCore {
 public:
  void on_join(const SessionPtr&, std::uint64_t, const net::Join&) override { ++joins; }
  void on_announced(const SessionPtr& session, std::uint64_t id,
                    const net::UploadBegin& update) override {
    session->accept_upload(id, update);
  }
  void on_uploaded(const SessionPtr&, std::uint64_t, const net::UploadBegin& update) override {
    uploaded.push_back(update.update_id);
  }
  void on_progress(const SessionPtr&, const net::Progress&) override {}
  void on_leave(const SessionPtr&, std::uint64_t, const net::Leave&) override {}
  void on_refusal(const SessionPtr&, const Refusal&) override { ++refusals; }
  void on_final_received(const SessionPtr&) override { ++finals; }
  void on_status_request(const SessionPtr&, std::uint64_t, const net::StatusRequest&) override {}
  void on_command(const SessionPtr&, std::uint64_t, const net::Command&) override {}
  void on_closed(const SessionPtr&, const std::string&) override {}

  int joins = 0;
  int refusals = 0;
  int finals = 0;
  std::vector<std::string> uploaded;
};

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

class SiteSession : public ::testing::Test {
 protected:
  void SetUp() override { connect(); }
  void connect(net::Role role = net::Role::kSite) {
    connection_ = std::make_shared<FakeConnection>(role);
    session_ = std::make_shared<net::SiteSession>(
        connection_, net::Welcome{.server = "hub", .run = "run", .liveness_ms = 2000}, store_,
        core_);
  }
  void greet(const std::string& name = "clinic", net::Party party = net::Party::kSite) {
    session_->on_message(net::Hello{.party = party, .name = name, .instance = "i1"}, 1, 0);
  }
  void announce(const std::string& text, std::uint64_t id = 5) {
    update_ = {.update_id = "u1", .sha256 = sha256(text), .bytes = std::ssize(text)};
    session_->on_message(update_, id, 0);
  }
  void send(const std::string& text, std::int64_t offset, std::uint64_t stream = 5) {
    const auto bytes = bytes_of(text);
    session_->on_chunk({.stream = stream, .offset = offset, .bytes = bytes});
  }
  void end(std::uint64_t stream = 5) {
    session_->on_message(net::StreamEnd{.stream = stream, .sha256 = update_.sha256}, 9, 0);
  }
  [[nodiscard]] RefusalCode newest_refusal() const {
    const auto* refusal = connection_->newest<Refusal>();
    return refusal == nullptr ? RefusalCode{} : refusal->code;
  }

  TemporaryFolder folder_;
  scheduler::journal::PayloadStore store_{folder_.path() / "updates"};
  FakeCore core_;
  std::shared_ptr<FakeConnection> connection_;
  std::shared_ptr<net::SiteSession> session_;
  net::UploadBegin update_;
};

TEST_F(SiteSession, WelcomesWhoIsWhatItsCertificateSays) {
  greet();
  ASSERT_NE(connection_->newest<net::Welcome>(), nullptr);
  EXPECT_EQ(connection_->newest<net::Welcome>()->run, "run");
  EXPECT_FALSE(connection_->is_closed);
}

TEST_F(SiteSession, RefusesAnothersName) {
  greet("hospital");
  EXPECT_EQ(newest_refusal(), RefusalCode::kNotAllowed);
  EXPECT_TRUE(connection_->is_closed);
}

TEST_F(SiteSession, RefusesASiteThatSaysItIsAnOperator) {
  greet("clinic", net::Party::kOperator);
  EXPECT_EQ(newest_refusal(), RefusalCode::kNotAllowed);
  EXPECT_TRUE(connection_->is_closed);
}

TEST_F(SiteSession, StoresAnUploadAndSaysSo) {
  greet();
  announce("an update");
  ASSERT_NE(connection_->newest<net::StreamOffset>(), nullptr);
  EXPECT_EQ(connection_->newest<net::StreamOffset>()->offset, 0);
  EXPECT_EQ(connection_->newest<net::StreamOffset>()->limit, 9);
  send("an up", 0);
  send("date", 5);
  end();
  EXPECT_EQ(core_.uploaded, std::vector<std::string>{"u1"});
  EXPECT_EQ(store_.read("clinic", "u1"), bytes_of("an update"));
}

TEST_F(SiteSession, GoesOnWithAnUploadOfAnEarlierConnection) {
  greet();
  announce("an update");
  send("an up", 0);
  session_->on_closed("cut");
  connect();
  greet();
  announce("an update", 7);
  ASSERT_NE(connection_->newest<net::StreamOffset>(), nullptr);
  EXPECT_EQ(connection_->newest<net::StreamOffset>()->offset, 5);
  send("date", 5, 7);
  end(7);
  EXPECT_EQ(core_.uploaded, std::vector<std::string>{"u1"});
}

/// A connection may be dead for long before the server learns it: the site dials again, and must
/// neither lose its update nor send it from its start.
TEST_F(SiteSession, AnUploadOfALivingConnectionIsPutOffUntilThatEnds) {
  greet();
  announce("an update");
  send("an up", 0);
  const auto first = session_;
  connect();
  greet();
  announce("an update", 7);
  EXPECT_EQ(newest_refusal(), RefusalCode::kNotNow);
  first->end(Refusal{RefusalCode::kSecondInstance, "a newer connection has come"});
  announce("an update", 8);
  ASSERT_NE(connection_->newest<net::StreamOffset>(), nullptr);
  EXPECT_EQ(connection_->newest<net::StreamOffset>()->offset, 5);
  send("date", 5, 8);
  end(8);
  EXPECT_EQ(core_.uploaded, std::vector<std::string>{"u1"});
}

TEST_F(SiteSession, RefusesChunksThatAreNotTheNextOnes) {
  greet();
  announce("an update");
  send("date", 5);
  EXPECT_EQ(newest_refusal(), RefusalCode::kBadStream);
  send("an update", 0);  // on its way when it was refused: passed over
  end();
  EXPECT_TRUE(core_.uploaded.empty());
  EXPECT_FALSE(connection_->is_closed);
}

TEST_F(SiteSession, RefusesMoreThanWasAnnounced) {
  greet();
  announce("an update");
  send("an update and more", 0);
  EXPECT_EQ(newest_refusal(), RefusalCode::kBadStream);
  EXPECT_TRUE(core_.uploaded.empty());
}

TEST_F(SiteSession, RefusesOtherBytesThanAnnounced) {
  greet();
  announce("an update");
  send("AN UPDATE", 0);
  end();
  EXPECT_EQ(newest_refusal(), RefusalCode::kBadStream);
  EXPECT_TRUE(core_.uploaded.empty());
  EXPECT_FALSE(store_.has("clinic", "u1"));
}

TEST_F(SiteSession, RefusesAnEndThatComesTooEarly) {
  greet();
  announce("an update");
  send("an", 0);
  end();
  EXPECT_EQ(newest_refusal(), RefusalCode::kBadStream);
  EXPECT_TRUE(core_.uploaded.empty());
}

TEST_F(SiteSession, TakesAnUpdateThatIsNotFiniteWithoutItsBytes) {
  greet();
  session_->on_message(net::UploadBegin{.update_id = "nan", .bytes = 0, .finite = false}, 5, 0);
  EXPECT_EQ(core_.uploaded, std::vector<std::string>{"nan"});
}

TEST_F(SiteSession, SendsAModelAsFarAsTheSiteTakesIt) {
  greet();
  const auto bytes = std::make_shared<const std::vector<std::byte>>(bytes_of("a model"));
  session_->send_stream(
      {.kind = net::StreamKind::kFinalModel, .sha256 = sha256(*bytes), .bytes = 7}, bytes);
  const std::uint64_t stream = 100 + connection_->sent.size();
  EXPECT_EQ(connection_->chunks, "");
  session_->on_message(net::StreamOffset{.stream = stream, .offset = 0, .limit = 3}, 6, 0);
  EXPECT_EQ(connection_->chunks, "a m");
  session_->on_message(net::StreamOffset{.stream = stream, .offset = 0, .limit = 7}, 7, 0);
  EXPECT_EQ(connection_->chunks, "a model");
  ASSERT_NE(connection_->newest<net::StreamEnd>(), nullptr);
  EXPECT_EQ(core_.finals, 0);
  session_->on_message(net::StreamOffset{.stream = stream, .offset = 7, .limit = 7}, 8, 0);
  EXPECT_EQ(core_.finals, 1);
  EXPECT_TRUE(connection_->is_closed);
}

TEST_F(SiteSession, LogsWhatTheCoreRefusesWithItsAddress) {
  greet();
  const LogCapture log;
  session_->answer(7, Refusal{RefusalCode::kOutOfRound, "round 3 is over"});
  EXPECT_EQ(connection_->sent.back().second, 7U);
  session_->end(Refusal{RefusalCode::kSecondInstance, "a newer one"});
  EXPECT_TRUE(log.holds("refused clinic at 10.0.0.7:1234: out of round: round 3 is over"))
      << log.text();
  EXPECT_TRUE(log.holds("refused clinic at 10.0.0.7:1234: second instance: a newer one"))
      << log.text();
}

TEST_F(SiteSession, AMemberFillsNoLogWithItsRefusals) {
  greet();
  const LogCapture log;
  for (int i = 0; i < 100; ++i) {
    session_->on_message(net::StreamEnd{.stream = 77, .sha256 = {}}, 9, 0);
    session_->on_message(Refusal{RefusalCode::kFailed, "no"}, 10, 0);
  }
  const std::string text = log.text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 20) << text;
  EXPECT_EQ(core_.refusals, 100);
}

TEST_F(SiteSession, SaysOnceThatAnUploadMustWait) {
  scheduler::journal::PayloadStore full(
      folder_.path() / "full", {.reserve_bytes = std::numeric_limits<std::uint64_t>::max() / 2});
  session_ = std::make_shared<net::SiteSession>(
      connection_, net::Welcome{.server = "hub", .run = "run", .liveness_ms = 2000}, full, core_);
  greet();
  const LogCapture log;
  announce("update");
  EXPECT_EQ(newest_refusal(), RefusalCode::kNotNow);
  const std::string line = "must stay free on the server's disk with " + (folder_ / "full");
  EXPECT_TRUE(log.holds(line)) << log.text();
  const std::string told = connection_->newest<Refusal>()->text;
  EXPECT_EQ(told.find(folder_.path().string()), std::string::npos) << told;
  const LogCapture later;
  const std::size_t before = connection_->sent.size();
  for (std::uint64_t id = 6; id < 9; ++id) announce("update", id);
  EXPECT_EQ(connection_->sent.size(), before + 3) << "the site is told each time";
  EXPECT_EQ(later.text(), "");
}

TEST_F(SiteSession, TellsASiteNoneOfTheServersPaths) {
  greet();
  std::filesystem::remove_all(folder_.path() / "updates");
  std::ofstream(folder_.path() / "updates") << "no folder";
  const LogCapture log;
  announce("update");
  EXPECT_EQ(newest_refusal(), RefusalCode::kFailed);
  EXPECT_TRUE(log.holds(folder_ / "updates")) << log.text();
  EXPECT_EQ(connection_->newest<Refusal>()->text, "the server's disk has not taken it");
}

TEST_F(SiteSession, SaysWhyASiteHasGone) {
  greet();
  const LogCapture log;
  session_->on_message(net::Goodbye{"the site has been stopped"}, 2, 0);
  EXPECT_TRUE(log.holds("site clinic at ")) << log.text();
  EXPECT_TRUE(log.holds(" has gone: the site has been stopped")) << log.text();
  connect(net::Role::kOperator);
  const LogCapture none;
  session_->on_message(net::Goodbye{}, 2, 0);
  EXPECT_EQ(none.text(), "");
}

TEST_F(SiteSession, CutsOffWhoIsSilentForTooLong) {
  greet();
  session_->on_tick();
  EXPECT_EQ(connection_->aborted, "");
  connection_->heard = std::chrono::steady_clock::now() - std::chrono::seconds(3);
  session_->on_tick();
  EXPECT_NE(connection_->aborted.find("silent"), std::string::npos);
}

TEST_F(SiteSession, AnswersSignsOfLife) {
  greet();
  session_->on_message(net::Progress{}, 11, 0);
  ASSERT_NE(connection_->newest<net::Accepted>(), nullptr);
  EXPECT_EQ(connection_->sent.back().second, 11U);
}

}  // namespace
}  // namespace convoy::tests
