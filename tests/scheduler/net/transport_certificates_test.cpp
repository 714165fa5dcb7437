// SPDX-License-Identifier: Apache-2.0
// Who is let in over real connections, and what either end is told when it is not.
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/errors.h"
#include "tests/scheduler/net/log_capture.h"
#include "tests/scheduler/net/raw_peer.h"
#include "tests/scheduler/net/transport_kit.h"

namespace convoy::tests {
namespace {

using net::Credentials;
using net::Role;

#define EXPECT_HOLDS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

/// A federation whose lists change, and a hub in it.
class Certificates : public ::testing::Test {
 protected:
  net::DialerOptions as(const Credentials& own) {
    auto options = dialer_options(hub_.port());
    options.own = own;
    options.authorities = federation_.files().certificate;
    options.lists = old_list_;
    return options;
  }
  /// What a peer that shows this is told, and the hub's log says.
  std::string refusal_of(const Credentials& own) {
    const LogCapture log;
    RawPeer peer(hub_.port(), own);
    EXPECT_TRUE(peer.read_all().frames.empty());
    EXPECT_TRUE(eventually([&] { return log.holds("127.0.0.1:"); }));
    EXPECT_EQ(hub_.listener().connections(), 0U);
    return peer.problem() + " | " + log.text();
  }
  /// The DialError of a dial to a server that shows this.
  std::string error_of_dial_to(const Credentials& server, bool& is_final) {
    RawServer other([&](RawSocket socket) {
      RawPeer peer(std::move(socket), server, true);
      (void)peer.read_some();
    });
    auto options = as(site_);
    options.server.port = other.port();
    options.lists = federation_.files().list;
    net::Dialer dialer(options);
    try {
      (void)dialer.dial(std::make_shared<Recorder>());
    } catch (const net::DialError& error) {
      is_final = error.is_final();
      return error.what();
    }
    return "";
  }

  std::filesystem::path copy_of_list() {
    std::filesystem::copy_file(federation_.files().list, federation_.path("old.crl"));
    return federation_.path("old.crl");
  }

  /// Gives the member the newest list.
  void replace_old_list() {
    std::filesystem::copy_file(federation_.files().list, federation_.path("new.crl"),
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::rename(federation_.path("new.crl"), old_list_);
  }

  Federation federation_;
  Credentials server_ = federation_.member("hub", Role::kServer);
  Credentials site_ = federation_.member("clinic-a", Role::kSite);
  std::filesystem::path old_list_ = copy_of_list();  // a member that has not got the new one
  Hub hub_{[this](auto& options) {
             options.own = server_;
             options.peers = federation_.accepting({Role::kSite});
           },
           Hub::echo()};
};

TEST_F(Certificates, StrangersAreRefused) {
  Federation other;
  const auto self_made = refusal_of(other.member("clinic-a", Role::kSite));
  EXPECT_HOLDS(self_made, "alert");
  EXPECT_HOLDS(self_made, "refused: handshake: the peer's certificate is refused: ");
  const auto none = refusal_of({});
  EXPECT_HOLDS(none, "certificate required");
  EXPECT_HOLDS(none, "refused: handshake: the peer has shown no certificate");
}

TEST_F(Certificates, ExpiredAndForeignRolesAreRefused) {
  const auto expired = refusal_of(federation_.member("late", Role::kSite, -20, -10));
  EXPECT_HOLDS(expired, "certificate expired");
  EXPECT_HOLDS(expired, "the peer's certificate is refused: ");
  const auto operators = refusal_of(federation_.member("anna", Role::kOperator));
  EXPECT_HOLDS(operators, "the peer's certificate is refused: ");
  const auto servers = refusal_of(federation_.member("hub-2", Role::kServer));
  EXPECT_HOLDS(servers, "the peer's certificate is refused: ");
}

TEST_F(Certificates, ARevokedSiteIsToldInPlainWords) {
  federation_.revoke("clinic-a");
  EXPECT_EQ(hub_.listener().reload_lists(), std::nullopt);
  net::Dialer dialer(as(site_));
  for (const bool writes_first : {true, false}) {
    const auto user = std::make_shared<Recorder>();
    const auto connection = dialer.dial(user);
    if (writes_first) send(connection, hello());
    ASSERT_TRUE(user->wait_for_end());
    EXPECT_EQ(user->why(), "the server has refused our certificate: it is revoked");
  }
}

TEST_F(Certificates, ReloadingEndsConnectionsOfTheRevokedOnly) {
  const auto other = federation_.member("clinic-b", Role::kSite);
  net::Dialer dialer(as(site_));
  net::Dialer other_dialer(as(other));
  const auto user = std::make_shared<Recorder>();
  const auto other_user = std::make_shared<Recorder>();
  send(dialer.dial(user), hello());
  const auto stays = other_dialer.dial(other_user);
  send(stays, hello());
  ASSERT_TRUE(user->wait_for_messages(1) && other_user->wait_for_messages(1));
  EXPECT_EQ(hub_.listener().reload_lists(), std::nullopt);
  EXPECT_EQ(hub_.listener().connections(), 2U);
  federation_.revoke("clinic-a");
  EXPECT_EQ(hub_.listener().reload_lists(), std::nullopt);
  ASSERT_TRUE(user->wait_for_end());
  EXPECT_EQ(user->why(), "the connection broke off");
  send(stays, net::Progress{});
  EXPECT_TRUE(other_user->wait_for_messages(2));
  EXPECT_TRUE(eventually([&] { return hub_.listener().connections() == 1; }));
}

TEST_F(Certificates, DamagedListsEndEverything) {
  net::Dialer dialer(as(site_));
  const auto user = std::make_shared<Recorder>();
  send(dialer.dial(user), hello());
  ASSERT_TRUE(user->wait_for_messages(1));
  std::filesystem::resize_file(federation_.files().list, 10);
  EXPECT_NE(hub_.listener().reload_lists(), std::nullopt);
  EXPECT_TRUE(user->wait_for_end());
}

TEST_F(Certificates, BothEndsTellWhatEndsSoon) {
  federation_.write_list(0, 3);
  const LogCapture log;
  const std::string told = "(" + federation_.files().list.string() + ") ends on ";
  EXPECT_EQ(hub_.listener().reload_lists(), std::nullopt);
  EXPECT_TRUE(log.holds(told)) << log.text();
  const LogCapture later;
  EXPECT_EQ(hub_.listener().reload_lists(), std::nullopt);
  EXPECT_FALSE(later.holds(told)) << later.text();
  {
    Hub other(
        [this](auto& options) {
          options.own = server_;
          options.peers = federation_.accepting({Role::kSite});
        },
        Hub::echo());
    EXPECT_TRUE(later.holds(told)) << "at the start";
  }
  const LogCapture of_site;
  auto options = as(federation_.member("short", Role::kSite, 0, 2));
  options.tells_expiry = false;
  { net::Dialer quiet(options); }
  EXPECT_FALSE(of_site.holds("short.crt) ends on "));
  options.tells_expiry = true;
  const net::Dialer dialer(options);
  EXPECT_TRUE(eventually([&] { return of_site.holds("short.crt) ends on "); })) << of_site.text();
}

TEST_F(Certificates, ASiteIsToldThatTheServersOwnListMayBeOver) {
  auto options = as(site_);
  std::filesystem::resize_file(federation_.files().list, 10);
  EXPECT_NE(hub_.listener().reload_lists(), std::nullopt);
  net::Dialer dialer(options);
  const auto user = std::make_shared<Recorder>();
  (void)dialer.dial(user);
  ASSERT_TRUE(user->wait_for_end());
  EXPECT_EQ(user->why(),
            "the server has ended the connection with the TLS alert \"internal error\": its own "
            "revocation list or certificate may be over, as its log says");
}

/// Of a federation's members each has its own copy of the list.
TEST_F(Certificates, ASiteHangsUpOnAServerThatIsRevoked) {
  const LogCapture log;
  auto options = as(site_);
  options.reload = 50ms;
  net::Dialer dialer(options);
  const auto user = std::make_shared<Recorder>();
  const auto connection = dialer.dial(user);
  send(connection, hello());
  ASSERT_TRUE(user->wait_for_messages(1));
  std::this_thread::sleep_for(200ms);
  EXPECT_FALSE(user->why());  // nothing has changed
  federation_.revoke("hub");
  replace_old_list();
  ASSERT_TRUE(user->wait_for_end());
  EXPECT_HOLDS(*user->why(),
               "the server's certificate is not accepted any more: certificate \"hub\"");
  EXPECT_HOLDS(*user->why(), "revoked");
  EXPECT_TRUE(log.holds("(hub): refused by now: certificate \"hub\"")) << log.text();
  try {
    (void)dialer.dial(std::make_shared<Recorder>());
    ADD_FAILURE();
  } catch (const net::DialError& error) {
    EXPECT_TRUE(error.is_final());
  }
}

TEST_F(Certificates, ASiteWithoutALivingListTrustsNobody) {
  const std::vector<std::function<void()>> damages{
      [&] { std::filesystem::remove(old_list_); },
      [&] { std::filesystem::resize_file(old_list_, 10); },
      [&] {
        federation_.write_list(-20, -10);
        replace_old_list();
      }};
  auto options = as(site_);
  options.reload = 50ms;
  net::Dialer dialer(options);
  for (const auto& damage : damages) {
    federation_.write_list(-1, 30);
    replace_old_list();
    const auto user = std::make_shared<Recorder>();
    send(dialer.dial(user), hello());
    ASSERT_TRUE(user->wait_for_messages(1));
    damage();
    ASSERT_TRUE(user->wait_for_end());
    EXPECT_HOLDS(*user->why(), "not accepted any more: nobody is accepted: ");
    EXPECT_HOLDS(*user->why(), "old.crl");
  }
}

TEST_F(Certificates, WrongServersAreFinal) {
  Federation other;
  const std::vector<Credentials> wrong{other.member("hub", Role::kServer), site_,
                                       federation_.member("old", Role::kServer, -20, -10)};
  for (const auto& server : wrong) {
    bool is_final = false;
    const auto error = error_of_dial_to(server, is_final);
    EXPECT_HOLDS(error, "handshake with 127.0.0.1:");
    EXPECT_HOLDS(error, "the server's certificate is refused: ");
    EXPECT_TRUE(is_final);
  }
  federation_.revoke("hub");
  bool is_final = false;
  EXPECT_HOLDS(error_of_dial_to(server_, is_final), "revoked");
  EXPECT_TRUE(is_final);
}

TEST_F(Certificates, TheServerMustBeCalledAsItIsDialled) {
  auto options = as(site_);
  options.server.host = "localhost";
  net::Dialer dialer(options);
  try {
    (void)dialer.dial(std::make_shared<Recorder>());
    ADD_FAILURE();
  } catch (const net::DialError& error) {
    EXPECT_HOLDS(std::string(error.what()), "and not for localhost");
    EXPECT_TRUE(error.is_final());
  }
}

TEST_F(Certificates, OwnFilesAreCheckedAtTheStartAndAtEveryDial) {
  auto options = as(server_);
  EXPECT_THROW(net::Dialer{options}, ConfigError);
  options = as(federation_.member("clinic-c", Role::kSite));
  net::Dialer dialer(options);
  std::filesystem::remove(options.own.key);
  try {
    (void)dialer.dial(std::make_shared<Recorder>());
    ADD_FAILURE();
  } catch (const net::DialError& error) {
    EXPECT_HOLDS(std::string(error.what()), "clinic-c.key");
    EXPECT_TRUE(error.is_final());
  }
}

TEST_F(Certificates, AListThatIsMissingMayComeBack) {
  auto options = as(site_);
  net::Dialer dialer(options);
  std::filesystem::rename(old_list_, federation_.path("away.crl"));
  try {
    (void)dialer.dial(std::make_shared<Recorder>());
    ADD_FAILURE();
  } catch (const net::DialError& error) {
    EXPECT_HOLDS(std::string(error.what()), "old.crl");
    EXPECT_FALSE(error.is_final());
  }
  std::filesystem::rename(federation_.path("away.crl"), old_list_);
  EXPECT_NE(dialer.dial(std::make_shared<Recorder>()), nullptr);
}

TEST(ListenerOptionsTest, WhatCannotBeUsedIsNamed) {
  const auto error_of = [](const std::function<void(net::ListenerOptions&)>& change) {
    try {
      Hub hub(change);
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_HOLDS(error_of([](auto& options) { options.host = "hub"; }), "\"hub\" is no IP address");
  EXPECT_HOLDS(error_of([](auto& options) { options.host = "192.0.2.1"; }),
               "cannot listen on 192.0.2.1:0: ");
  EXPECT_HOLDS(error_of([](auto& options) { options.own = members().site; }), "clinic-a.crt");
  Hub first;
  const auto take_port = [&](auto& options) { options.port = first.port(); };
  try {
    Hub second(take_port);
    ADD_FAILURE() << "two listeners on one port";
  } catch (const ConfigError& error) {
    ADD_FAILURE() << "the port may be free again later: " << error.what();
  } catch (const std::runtime_error& error) {
    EXPECT_HOLDS(std::string(error.what()), "in use");
  }
}

}  // namespace
}  // namespace convoy::tests
