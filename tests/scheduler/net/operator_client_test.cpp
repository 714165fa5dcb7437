// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/operator_client.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/scheduler/net/scripted_server.h"

namespace convoy::net {
namespace {

using tests::Federation;
using tests::ScriptedServer;

OperatorOptions options_for(Federation& federation, const ScriptedServer& server,
                            Role role = Role::kOperator) {
  return {.dialer = {.server = {"127.0.0.1", server.port()},
                     .own = federation.member("anna", role),
                     .authorities = federation.files().certificate,
                     .lists = federation.files().list},
          .name = "anna",
          .software = "a test",
          .patience = std::chrono::milliseconds(5000)};
}

std::optional<Message> nothing(const Message&) { return std::nullopt; }

/// What `action` throws.
template <typename Error>
std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// Pages of 256 sites, of `total`.
std::optional<Message> paged_status(const Message& heard, std::int64_t total) {
  const auto* request = std::get_if<StatusRequest>(&heard);
  if (request == nullptr) return std::nullopt;
  Status status{.run = "run-7", .total_sites = total, .first = request->first};
  for (std::int64_t i = request->first; i < total && i < request->first + 256; ++i) {
    status.sites.push_back({.name = "site-" + std::to_string(i)});
  }
  return status;
}

TEST(OperatorClient, GreetsAsWhoItIs) {
  Federation federation;
  ScriptedServer server(federation, nothing);
  {
    const OperatorClient client(options_for(federation, server));
    EXPECT_EQ(client.welcome().server, "hub");
    EXPECT_EQ(client.welcome().run, "run-7");
  }
  const auto heard = server.heard();
  ASSERT_EQ(heard.size(), 2U);
  const auto& hello = std::get<Hello>(heard[0]);
  EXPECT_EQ(hello.party, Party::kOperator);
  EXPECT_EQ(hello.name, "anna");
  EXPECT_EQ(hello.software, "a test");
  EXPECT_TRUE(std::holds_alternative<Goodbye>(heard[1]));
}

TEST(OperatorClient, PutsPagesTogether) {
  for (const std::int64_t total : {0, 1, 256, 600}) {
    Federation federation;
    ScriptedServer server(federation, [&](const Message& m) { return paged_status(m, total); });
    OperatorClient client(options_for(federation, server));
    const Status status = client.status();
    EXPECT_EQ(status.run, "run-7");
    EXPECT_EQ(status.total_sites, total);
    ASSERT_EQ(status.sites.size(), static_cast<std::size_t>(total));
    for (std::int64_t i = 0; i < total; ++i) {
      EXPECT_EQ(status.sites[static_cast<std::size_t>(i)].name, "site-" + std::to_string(i));
    }
  }
}

TEST(OperatorClient, EndsWhereAPageIsEmpty) {
  Federation federation;
  ScriptedServer server(federation, [](const Message& heard) -> std::optional<Message> {
    if (!std::holds_alternative<StatusRequest>(heard)) return std::nullopt;
    return Status{.run = "run-7", .total_sites = 9};
  });
  OperatorClient client(options_for(federation, server));
  EXPECT_TRUE(client.status().sites.empty());
}

TEST(OperatorClient, GivesOrdersAndTellsWhyOneIsRefused) {
  Federation federation;
  ScriptedServer server(federation, [](const Message& heard) -> std::optional<Message> {
    const auto* command = std::get_if<Command>(&heard);
    if (command == nullptr) return std::nullopt;
    if (command->order == OperatorOrder::kPause) return Accepted{.text = "paused"};
    return Refusal{.code = RefusalCode::kUnknownSite, .text = "nobody is called bert"};
  });
  OperatorClient client(options_for(federation, server));
  EXPECT_EQ(client.order({.order = OperatorOrder::kPause}).text, "paused");
  const Command remove{.order = OperatorOrder::kRemove, .site = "bert"};
  EXPECT_EQ(error_of<RefusedError>([&] { (void)client.order(remove); }),
            "the server refuses: nobody is called bert");
  // The connection goes on.
  EXPECT_EQ(client.order({.order = OperatorOrder::kPause}).text, "paused");
  const auto heard = server.heard();
  EXPECT_EQ(std::ranges::count(heard, Message(remove)), 1);
}

TEST(OperatorClient, IsRefusedAtTheGreeting) {
  Federation federation;
  ScriptedServer server(federation, [](const Message& heard) -> std::optional<Message> {
    if (!std::holds_alternative<Hello>(heard)) return std::nullopt;
    return Refusal{.code = RefusalCode::kNoCommonVersion, .text = "versions 7 to 9 only"};
  });
  EXPECT_EQ(error_of<RefusedError>([&] { OperatorClient(options_for(federation, server)); }),
            "the server refuses: versions 7 to 9 only");
}

TEST(OperatorClient, DoesNotWaitForEver) {
  Federation federation;
  ScriptedServer server(federation, nothing);
  OperatorOptions options = options_for(federation, server);
  options.patience = std::chrono::milliseconds(300);
  OperatorClient client(options);
  EXPECT_EQ(error_of<std::runtime_error>([&] { (void)client.status(); }),
            "the server has not answered within 0.3 s");
}

TEST(OperatorClient, NoticesTheEndOfTheServer) {
  Federation federation;
  std::optional<ScriptedServer> server;
  server.emplace(federation, nothing);
  OperatorClient client(options_for(federation, *server));
  server->stop();
  const std::string error = error_of<std::runtime_error>([&] { (void)client.status(); });
  EXPECT_TRUE(error.starts_with("the connection has ended: ")) << error;
}

TEST(OperatorClient, SaysWhatIsWrongWithAnAnswerOfAnotherKind) {
  Federation federation;
  ScriptedServer server(federation, [](const Message& heard) -> std::optional<Message> {
    if (!std::holds_alternative<Command>(heard)) return std::nullopt;
    return Status{.run = "run-7"};
  });
  OperatorClient client(options_for(federation, server));
  EXPECT_EQ(
      error_of<std::runtime_error>([&] { (void)client.order({.order = OperatorOrder::kFinish}); }),
      "the server answers Command with Status");
}

}  // namespace
}  // namespace convoy::net
