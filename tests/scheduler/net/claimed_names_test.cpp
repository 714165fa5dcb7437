// SPDX-License-Identifier: Apache-2.0
// Who somebody is says the certificate, whatever Hello claims.
#include <gtest/gtest.h>

#include "scheduler/net/listener.h"
#include "scheduler/net/operator_client.h"
#include "scheduler/net/site_session.h"
#include "tests/scheduler/net/federation.h"

namespace convoy::net {
namespace {

/// Answers every question about the state, and counts what reaches it.
class CountingCore final : public ServerCore {
 public:
  void on_join(const SessionPtr&, std::uint64_t, const Join&) override { ++calls; }
  void on_announced(const SessionPtr&, std::uint64_t, const UploadBegin&) override { ++calls; }
  void on_uploaded(const SessionPtr&, std::uint64_t, const UploadBegin&) override { ++calls; }
  void on_progress(const SessionPtr&, const Progress&) override { ++calls; }
  void on_leave(const SessionPtr&, std::uint64_t, const Leave&) override { ++calls; }
  void on_refusal(const SessionPtr&, const Refusal&) override { ++calls; }
  void on_final_received(const SessionPtr&) override { ++calls; }
  void on_status_request(const SessionPtr& session, std::uint64_t id,
                         const StatusRequest&) override {
    ++calls;
    session->answer(id, Status{.run = "run-7"});
  }
  void on_command(const SessionPtr&, std::uint64_t, const Command&) override { ++calls; }
  void on_closed(const SessionPtr&, const std::string&) override {}

  std::atomic<int> calls = 0;
};

class ClaimedNames : public ::testing::Test {
 protected:
  ClaimedNames() : store_(federation_.path("store"), {}) {
    ListenerOptions options;
    options.host = "127.0.0.1";
    options.own = federation_.member("hub", Role::kServer);
    options.peers = federation_.accepting({Role::kSite, Role::kOperator});
    listener_ = std::make_unique<Listener>(options, [this](std::shared_ptr<Connection> connection) {
      return std::make_shared<SiteSession>(std::move(connection),
                                           Welcome{.server = "hub", .run = "run-7"}, store_, core_);
    });
  }

  /// Says that it is the operator `claimed`, with the certificate of another. @return the answer.
  std::string claim(const std::string& claimed, const std::string& name, Role role) {
    const OperatorOptions options{.dialer = {.server = {"127.0.0.1", listener_->port()},
                                             .own = federation_.member(name, role),
                                             .authorities = federation_.files().certificate,
                                             .lists = federation_.files().list},
                                  .name = claimed};
    try {
      OperatorClient client(options);
      return "welcome to " + client.status().run;
    } catch (const RefusedError& error) {
      EXPECT_EQ(error.code(), RefusalCode::kNotAllowed);
      return error.what();
    }
  }

  tests::Federation federation_;
  scheduler::journal::PayloadStore store_;
  CountingCore core_;
  std::unique_ptr<Listener> listener_;  // last: its threads call the rest
};

TEST_F(ClaimedNames, TheOwnNameIsWelcome) {
  EXPECT_EQ(claim("anna", "anna", Role::kOperator), "welcome to run-7");
  EXPECT_EQ(core_.calls, 1);
}

TEST_F(ClaimedNames, AnothersNameIsRefused) {
  EXPECT_EQ(claim("berta", "anna", Role::kOperator),
            "the server refuses: this is the certificate of the operator anna, not of operator "
            "berta");
  EXPECT_EQ(core_.calls, 0);
}

TEST_F(ClaimedNames, AnotherRoleIsRefused) {
  EXPECT_EQ(claim("clinic-a", "clinic-a", Role::kSite),
            "the server refuses: this is the certificate of the site clinic-a, not of operator "
            "clinic-a");
  EXPECT_EQ(core_.calls, 0);
}

}  // namespace
}  // namespace convoy::net
