// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/scheduler/net/transport_kit.h"

namespace convoy::tests {
namespace {

using net::Accepted;
using net::Progress;

/// A dialled connection that has said Hello.
struct Site {
  explicit Site(std::uint16_t port) : Site(dialer_options(port)) {}
  explicit Site(const net::DialerOptions& options) : dialer(options) {
    connection = dialer.dial(user);
    send(connection, hello());
  }
  std::shared_ptr<Recorder> user = std::make_shared<Recorder>();
  net::Dialer dialer;
  std::shared_ptr<net::Connection> connection;
};

TEST(Transport, CarriesMessagesBothWays) {
  Hub hub({}, Hub::echo());
  Site site(hub.port());
  send(site.connection, Progress{.steps_done = 7});
  ASSERT_TRUE(site.user->wait_for_messages(2));
  ASSERT_TRUE(hub.user(0)->wait_for_messages(2));
  const auto at_hub = hub.user(0)->messages();
  EXPECT_EQ(std::get<net::Hello>(at_hub[0].message), hello());
  EXPECT_EQ(std::get<Progress>(at_hub[1].message), Progress{.steps_done = 7});
  EXPECT_EQ(at_hub[0].id, 1U);
  EXPECT_EQ(at_hub[1].id, 2U);
  const auto at_site = site.user->messages();
  EXPECT_EQ(std::get<net::Welcome>(at_site[0].message), welcome());
  EXPECT_EQ(at_site[0].answers, 1U);
  EXPECT_TRUE(std::holds_alternative<Accepted>(at_site[1].message));
  EXPECT_EQ(at_site[1].answers, 2U);
}

TEST(Transport, ARefusalArrivesWhateverItsText) {
  Hub hub({}, Hub::echo());
  Site site(hub.port());
  ASSERT_TRUE(site.user->wait_for_messages(1));
  std::string text;
  while (text.size() < 5000) text += "No space left on \xc2\xbb/srv\xc2\xab\n";
  send(hub.connection(0), net::Refusal{.code = net::RefusalCode::kFailed, .text = text});
  close(hub.connection(0));
  ASSERT_TRUE(site.user->wait_for_end());
  ASSERT_EQ(site.user->messages().size(), 2U);
  const auto refusal = std::get<net::Refusal>(site.user->messages()[1].message);
  EXPECT_EQ(refusal.text, net::as_text(text));
  ASSERT_TRUE(hub.user(0)->wait_for_end());
  EXPECT_EQ(hub.user(0)->why(), "");
}

TEST(Transport, KnowsThePeerByItsCertificate) {
  Hub hub;
  Site site(hub.port());
  EXPECT_EQ(site.connection->peer().name, "hub");
  EXPECT_EQ(site.connection->peer().role, net::Role::kServer);
  EXPECT_EQ(hub.connection(0)->peer().name, "clinic-a");
  EXPECT_EQ(hub.connection(0)->peer().role, net::Role::kSite);
  EXPECT_EQ(site.connection->address(), "127.0.0.1:" + std::to_string(hub.port()));
  EXPECT_EQ(hub.connection(0)->address().substr(0, 10), "127.0.0.1:");
}

TEST(Transport, EndsWhenEitherCloses) {
  for (const bool hub_closes : {true, false}) {
    Hub hub({}, Hub::echo());
    Site site(hub.port());
    ASSERT_TRUE(site.user->wait_for_messages(1));
    const auto at_hub = hub.user(0);
    close(hub_closes ? hub.connection(0) : site.connection);
    ASSERT_TRUE(site.user->wait_for_end());
    ASSERT_TRUE(at_hub->wait_for_end());
    const std::string closed = "the other end has closed the connection";
    EXPECT_EQ(at_hub->why(), hub_closes ? "" : closed);
    EXPECT_EQ(site.user->why(), hub_closes ? closed : "");
    EXPECT_TRUE(eventually([&] { return hub.listener().connections() == 0; }));
    EXPECT_EQ(at_hub->ends() + site.user->ends(), 2);
    EXPECT_EQ(at_hub->late_calls() + site.user->late_calls(), 0);
  }
}

TEST(Transport, SendsWhatIsQueuedBeforeItCloses) {
  constexpr std::size_t kChunks = 20;
  constexpr std::size_t kQueued = (kChunks + 1) * net::kMaxChunkBytes;
  Hub hub([](auto& hub_options) { hub_options.limits.queued_bytes = kQueued; }, Hub::echo());
  auto options = dialer_options(hub.port());
  options.limits.queued_bytes = kQueued;
  Site site(options);
  site.connection->post([&] {
    const std::vector<std::byte> bytes(net::kMaxChunkBytes, std::byte{5});
    for (std::size_t i = 0; i < kChunks; ++i) {
      site.connection->send_chunk({.stream = 1, .offset = 0, .bytes = bytes});
    }
    (void)site.connection->send(net::Goodbye{.text = "done"});
    site.connection->close();
    EXPECT_EQ(site.connection->send(Progress{}), 0U);
  });
  ASSERT_TRUE(hub.user(0)->wait_for_end());
  EXPECT_EQ(hub.user(0)->bytes(), kChunks * net::kMaxChunkBytes);
  ASSERT_EQ(hub.user(0)->messages().size(), 2U);
  EXPECT_EQ(std::get<net::Goodbye>(hub.user(0)->messages()[1].message).text, "done");
  ASSERT_TRUE(site.user->wait_for_end());
  EXPECT_EQ(site.user->why(), "");
}

}  // namespace
}  // namespace convoy::tests
