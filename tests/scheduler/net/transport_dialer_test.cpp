// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <fstream>
#include <future>
#include <thread>

#include "base/errors.h"
#include "scheduler/net/certificate_request.h"
#include "tests/scheduler/net/raw_peer.h"
#include "tests/scheduler/net/transport_kit.h"

namespace convoy::tests {
namespace {

#define EXPECT_HOLDS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

/// The text of the DialError; "" if there is a connection. Final ones begin with "final: ".
std::string error_of(net::Dialer& dialer) {
  try {
    (void)dialer.dial(std::make_shared<Recorder>());
  } catch (const net::DialError& error) {
    return (error.is_final() ? "final: " : "") + std::string(error.what());
  }
  return "";
}

std::string error_of(const net::DialerOptions& options) {
  net::Dialer dialer(options);
  return error_of(dialer);
}

/// A port of which nobody listens.
std::uint16_t free_port() {
  return RawServer([](RawSocket) {}).port();
}

TEST(HostPort, IsParsed) {
  const auto parsed = [](const std::string& text) {
    const auto place = net::parse_host_port(text, "server");
    return place.host + " " + std::to_string(place.port);
  };
  EXPECT_EQ(parsed("Hub.Example.org:7443"), "hub.example.org 7443");
  EXPECT_EQ(parsed("10.0.0.1:1"), "10.0.0.1 1");
  EXPECT_EQ(parsed("[::1]:65535"), "::1 65535");
  EXPECT_EQ(parsed("[2001:db8:0::1]:80"), "2001:db8::1 80");
  for (const auto* wrong :
       {"", "hub", "hub:", ":80", "hub:0", "hub:65536", "hub:-1", "hub:1x", "hub: 1", "::1:80",
        "[::1]", "[hub]:80", "[]:80", "http://hub:80", "user@hub:80", "hub:80:90", "h ub:80"}) {
    try {
      (void)net::parse_host_port(wrong, "[sites] server");
      ADD_FAILURE() << wrong;
    } catch (const ConfigError& error) {
      EXPECT_HOLDS(std::string(error.what()), "[sites] server: \"");
    }
  }
}

TEST(DialerSteps, NameWhatFailed) {
  auto options = dialer_options(free_port());
  const auto place = "127.0.0.1:" + std::to_string(options.server.port);
  EXPECT_EQ(error_of(options), "connect " + place + ": " + place + ": Connection refused");
  options.server.host = "no-such-host.invalid";
  EXPECT_HOLDS(error_of(options), "resolve no-such-host.invalid: ");
}

TEST(DialerSteps, AServerThatSaysNothingIsGivenUp) {
  RawServer server([](RawSocket socket) { (void)socket.read(100000); });
  auto options = dialer_options(server.port());
  options.limits.handshake = 200ms;
  EXPECT_EQ(error_of(options),
            "handshake with 127.0.0.1:" + std::to_string(server.port()) + ": no answer in time");
}

TEST(DialerSteps, AServerThatIsNoneIsTold) {
  RawServer server([](RawSocket socket) { (void)socket.write("SSH-2.0-OpenSSH_9.2\r\n"); });
  EXPECT_HOLDS(error_of(dialer_options(server.port())), ": the server does not speak TLS");
  RawServer mute([](RawSocket) {});
  const auto error = error_of(dialer_options(mute.port()));
  EXPECT_TRUE(error.ends_with("the other end broke off the handshake") ||
              error.ends_with("Connection reset by peer"))
      << error;
}

TEST(DialerSteps, CancelEndsAWaitingDial) {
  RawServer server([](RawSocket socket) { (void)socket.read(100000); });
  net::Dialer dialer(dialer_options(server.port()));
  std::string error;
  std::jthread waits([&] { error = error_of(dialer); });
  std::this_thread::sleep_for(100ms);
  const auto began = std::chrono::steady_clock::now();
  dialer.cancel();
  waits.join();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  EXPECT_HOLDS(error, "cancelled");
}

/// A server's certificate for one host.
net::Credentials member_of(Federation& federation, const std::string& host) {
  const auto subject = net::make_subject("hub", net::Role::kServer, {host});
  const auto request = net::make_request(federation.path("hub"), subject);
  net::CertificateAuthority authority(federation.path("ca"));
  const auto path = federation.path("hub") / "hub.crt";
  std::ofstream(path) << authority.sign(request.request, subject, days(0, 30)).pem;
  return {path, request.key};
}

TEST(DialerSteps, IPv6Works) {
  Federation federation;
  const auto own = member_of(federation, "::1");
  Hub hub(
      [&](auto& options) {
        options.host = "::";
        options.own = own;
        options.peers = federation.accepting({net::Role::kSite});
      },
      Hub::echo());
  auto options = dialer_options(hub.port());
  options.server.host = "::1";
  options.own = federation.member("clinic-a", net::Role::kSite);
  options.authorities = federation.files().certificate;
  options.lists = federation.files().list;
  net::Dialer dialer(options);
  const auto user = std::make_shared<Recorder>();
  send(dialer.dial(user), hello());
  EXPECT_TRUE(user->wait_for_messages(1));
  EXPECT_HOLDS(hub.connection(0)->address(), "[::1]:");
  const RawPeer old(hub.port(), options.own);  // "::" takes IPv4 too
  EXPECT_TRUE(old.is_up());
  EXPECT_HOLDS(hub.connection(1)->address(), "127.0.0.1:");
}

TEST(DialerUse, OneConnectionAtATime) {
  Hub hub({}, Hub::echo());
  net::Dialer dialer(dialer_options(hub.port()));
  const auto user = std::make_shared<Recorder>();
  const auto connection = dialer.dial(user);
  EXPECT_THROW((void)dialer.dial(std::make_shared<Recorder>()), ContractError);
  close(connection);
  ASSERT_TRUE(user->wait_for_end());
  EXPECT_EQ(error_of(dialer), "");
}

TEST(DialerUse, ItsEndAbortsTheConnection) {
  Hub hub({}, Hub::echo());
  const auto user = std::make_shared<Recorder>();
  std::shared_ptr<net::Connection> connection;
  {
    net::Dialer dialer(dialer_options(hub.port()));
    connection = dialer.dial(user);
    send(connection, hello());
    ASSERT_TRUE(user->wait_for_messages(1));
  }
  EXPECT_EQ(user->why(), "this end stops");
  EXPECT_EQ(user->ends(), 1);
  bool has_run = false;
  connection->post([&] { has_run = true; });  // nobody is there to run it
  EXPECT_FALSE(has_run);
  EXPECT_EQ(connection->peer().name, "hub");
  ASSERT_TRUE(hub.user(0)->wait_for_end());
  EXPECT_EQ(hub.user(0)->why(), "the connection broke off");
}

TEST(DialerUse, TasksRunAfterTheEndOfTheConnection) {
  Hub hub({}, Hub::echo());
  net::Dialer dialer(dialer_options(hub.port()));
  const auto user = std::make_shared<Recorder>();
  const auto connection = dialer.dial(user);
  connection->post([connection] { connection->abort("enough"); });
  ASSERT_TRUE(user->wait_for_end());
  EXPECT_EQ(user->why(), "enough");
  std::promise<std::uint64_t> sent;
  connection->post([&] {
    connection->close();
    connection->abort("again");
    sent.set_value(connection->send(hello()));
  });
  EXPECT_EQ(sent.get_future().get(), 0U);
  EXPECT_EQ(user->ends(), 1);
}

/// Passes bytes on, as a proxy does after its answer.
void pass_on(RawSocket from, std::uint16_t port) {
  RawSocket to(port);
  const auto copy = [](const RawSocket& source, const RawSocket& target) {
    std::string piece(1 << 16, '\0');
    for (;;) {
      const auto count = ::recv(source.descriptor(), piece.data(), piece.size(), 0);
      if (count <= 0) break;
      (void)::send(target.descriptor(), piece.data(), static_cast<std::size_t>(count),
                   MSG_NOSIGNAL);
    }
    (void)::shutdown(target.descriptor(), SHUT_WR);
  };
  std::jthread back([&] { copy(to, from); });
  copy(from, to);
}

std::string read_request(RawSocket& socket) {
  std::string request;
  while (!request.ends_with("\r\n\r\n")) {
    const auto byte = socket.read(1);
    if (byte.empty()) break;
    request += byte;
  }
  return request;
}

/// What a dial says through a proxy that answers so.
std::string error_through(const std::string& answer) {
  RawServer proxy([&](RawSocket socket) {
    (void)read_request(socket);
    (void)socket.write(answer);
    (void)socket.read(1);
  });
  auto options = dialer_options(free_port());
  options.proxy = net::HostPort{"127.0.0.1", proxy.port()};
  options.connect = 500ms;
  auto error = error_of(options);
  const auto front = "proxy 127.0.0.1:" + std::to_string(proxy.port()) + ": ";
  return error.starts_with(front) ? error.substr(front.size()) : "other: " + error;
}

TEST(Proxy, CarriesAConnection) {
  Hub hub({}, Hub::echo());
  std::string request;
  RawServer proxy([&](RawSocket socket) {
    request = read_request(socket);
    (void)socket.write("HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n");
    pass_on(std::move(socket), hub.port());
  });
  auto options = dialer_options(hub.port());
  options.proxy = net::HostPort{"127.0.0.1", proxy.port()};
  net::Dialer dialer(options);
  const auto user = std::make_shared<Recorder>();
  const auto connection = dialer.dial(user);
  send(connection, hello());
  ASSERT_TRUE(user->wait_for_messages(1));
  const auto place = "127.0.0.1:" + std::to_string(hub.port());
  EXPECT_EQ(request, "CONNECT " + place + " HTTP/1.1\r\nHost: " + place + "\r\n\r\n");
  EXPECT_HOLDS(connection->address(), " through 127.0.0.1:");
  close(connection);
  EXPECT_TRUE(user->wait_for_end());
}

TEST(Proxy, RefusalsAreToldInItsWords) {
  EXPECT_EQ(error_through("HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!"),
            "it has answered \"HTTP/1.1 403 Forbidden\"");
  EXPECT_EQ(error_through("HTTP/1.0 407 Proxy\x1b[31m\r\n\r\n"),
            "it has answered \"HTTP/1.0 407 Proxy?[31m\"");
  EXPECT_EQ(error_through("HTTP/1.1 2000 OK\r\n\r\n"), "it has answered \"HTTP/1.1 2000 OK\"");
}

TEST(Proxy, WrongAnswersAreRefused) {
  EXPECT_EQ(error_through("SSH-2.0\r\n"), "this is no HTTP proxy");
  EXPECT_EQ(error_through("HTTP/1.1 200 OK\r\n"), "no answer in time");
  EXPECT_EQ(error_through(""), "no answer in time");
  EXPECT_EQ(error_through("HTTP/1.1 200 OK\r\nX: " + std::string(100000, 'x') + "\r\n\r\n"),
            "its answer has more than 8192 bytes");
  EXPECT_EQ(error_through("HTTP/1.1 200 OK\r\n\r\nand more"), "it has said more than its answer");
}

TEST(Proxy, OneThatClosesIsTold) {
  RawServer proxy([](RawSocket socket) { (void)read_request(socket); });
  auto options = dialer_options(free_port());
  options.proxy = net::HostPort{"127.0.0.1", proxy.port()};
  EXPECT_HOLDS(error_of(options), ": the connection was closed");
}

}  // namespace
}  // namespace convoy::tests
