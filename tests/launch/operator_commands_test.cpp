// SPDX-License-Identifier: Apache-2.0
// `convoy status` and `convoy operate` as people and scripts call them, against a server that says
// what the test tells it to.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <variant>

#include "tests/launch/child.h"
#include "tests/scheduler/net/scripted_server.h"

namespace convoy::tests {
namespace {

namespace fs = std::filesystem;
using net::Message;

struct Ended {
  int code;
  std::string output;
  std::string errors;
};

net::Status example() {
  return {.run = "run-7",
          .phase = net::RunPhase::kRunning,
          .version = 18,
          .seconds = 77.5,
          .updates = 60,
          .pending = 1,
          .total_sites = 2,
          .sites = {{.name = "clinic-a",
                     .activity = net::Activity::kTraining,
                     .connected = true,
                     .seconds_per_step = 0.125,
                     .group = 0,
                     .round = 5,
                     .steps = 120,
                     .version = 17,
                     .bytes_up = 123'456'789'012,
                     .bytes_down = 45,
                     .silent_seconds = 0.5},
                    {.name = "b"}}};
}

net::Status parted_example() {
  return {.run = "run-7",
          .total_sites = 3,
          .sites = {{.name = "a", .parting = net::Parting::kRemoved},
                    {.name = "b", .parting = net::Parting::kLeft},
                    {.name = "c"}},
          .awaited_sites = 7};
}

std::optional<Message> answer(const Message& heard) {
  if (std::holds_alternative<net::StatusRequest>(heard)) return example();
  const auto* command = std::get_if<net::Command>(&heard);
  if (command == nullptr) return std::nullopt;
  if (command->order == net::OperatorOrder::kRemove && command->site != "clinic-a") {
    return net::Refusal{.code = net::RefusalCode::kUnknownSite, .text = "nobody has that name"};
  }
  return net::Accepted{.text = "done"};
}

/// A server, and an operator with files as `convoy certs` leaves them.
class OperatorCommands : public ::testing::Test {
 protected:
  OperatorCommands()
      : server_(federation_, [this](const Message& heard) {
          const bool asks = std::holds_alternative<net::StatusRequest>(heard);
          return asks && parted_ ? std::optional<Message>(parted_example()) : answer(heard);
        }) {
    const auto anna = federation_.member("anna", net::Role::kOperator);
    for (const auto& file :
         {anna.certificate, anna.key, federation_.files().certificate, federation_.files().list}) {
      fs::copy_file(file, certs_.path() / file.filename());
    }
  }

  /// The command with server and certificates behind `words`.
  Ended run(std::vector<std::string> words) {
    words.insert(words.end(), {"--server", server_.address(), "--certs", certs_.path().string()});
    Child child(folder_, words);
    const auto code = child.wait();
    return {code.value_or(-1), child.output(), child.errors()};
  }

  [[nodiscard]] std::vector<net::Command> commands() const {
    std::vector<net::Command> found;
    for (const auto& message : server_.heard()) {
      if (const auto* command = std::get_if<net::Command>(&message)) found.push_back(*command);
    }
    return found;
  }

  std::atomic<bool> parted_ = false;
  Federation federation_;
  ScriptedServer server_;
  TemporaryFolder certs_;
  TemporaryFolder folder_;
};

TEST_F(OperatorCommands, StatusIsATableForPeople) {
  const Ended ended = run({"status"});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  EXPECT_EQ(
      ended.output,
      "run run-7 at hub: running, version 18, 77.5 s\n"
      "updates: 60 received, 1 of them waiting\n"
      "sites: 2, 1 of them connected\n"
      "\n"
      "site      state     s/step  group  round  steps  version        up  down      heard\n"
      "clinic-a  training   0.125      0      5    120       17  123.5 GB  45 B  0.5 s ago\n"
      "b         away           -      -      0      0        0       0 B   0 B  0.0 s ago\n");
}

TEST_F(OperatorCommands, StatusSaysWhoHasLeftAndHowManyAreAwaited) {
  parted_ = true;
  const Ended ended = run({"status"});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  EXPECT_NE(ended.output.find("sites: 3, 0 of them connected; the run begins with 7\n"),
            std::string::npos)
      << ended.output;
  EXPECT_NE(ended.output.find("\na     removed "), std::string::npos) << ended.output;
  EXPECT_NE(ended.output.find("\nb     left "), std::string::npos) << ended.output;
  EXPECT_NE(ended.output.find("\nc     away "), std::string::npos) << ended.output;
  const auto document = nlohmann::json::parse(run({"status", "--json"}).output);
  EXPECT_EQ(document.at("awaited_sites"), 7);
  std::string states;
  for (const auto& site : document.at("sites")) states += site.at("state").get<std::string>() + " ";
  EXPECT_EQ(states, "removed left away ");
}

TEST_F(OperatorCommands, StatusIsOneJsonDocument) {
  const Ended ended = run({"status", "--json"});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  const auto document = nlohmann::json::parse(ended.output);
  EXPECT_EQ(document.at("run"), "run-7");
  EXPECT_EQ(document.at("server"), "hub");
  EXPECT_EQ(document.at("phase"), "running");
  EXPECT_EQ(document.at("sites")[0].at("bytes_up"), 123'456'789'012);
  EXPECT_EQ(document.at("sites")[0].at("activity"), "training");
  EXPECT_EQ(document.at("sites")[1].at("connected"), false);
  EXPECT_TRUE(document.at("sites")[1].at("group").is_null());
}

TEST_F(OperatorCommands, OrdersReachTheServer) {
  EXPECT_EQ(run({"operate", "pause"}).output, "done\n");
  EXPECT_EQ(run({"operate", "resume"}).output, "done\n");
  EXPECT_EQ(run({"operate", "remove", "clinic-a"}).output, "done\n");
  const Ended last = run({"operate", "finish", "--json"});
  EXPECT_EQ(nlohmann::json::parse(last.output),
            nlohmann::json::parse(R"({"server": "hub", "run": "run-7", "answer": "done"})"));
  EXPECT_EQ(commands(),
            (std::vector<net::Command>{{.order = net::OperatorOrder::kPause},
                                       {.order = net::OperatorOrder::kResume},
                                       {.order = net::OperatorOrder::kRemove, .site = "clinic-a"},
                                       {.order = net::OperatorOrder::kFinish}}));
}

TEST_F(OperatorCommands, ARefusalIsOneLine) {
  const Ended ended = run({"operate", "remove", "clinic-c"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.output, "");
  EXPECT_EQ(ended.errors, "convoy: the server refuses: nobody has that name\n");
}

TEST_F(OperatorCommands, WrongUsageIsRefusedBeforeAnythingIsDialled) {
  EXPECT_EQ(run({"operate"}).code, 2);
  EXPECT_EQ(run({"operate", "stop"}).errors,
            "convoy: convoy operate knows no stop; it has pause, resume, remove, finish (see "
            "convoy operate --help)\n");
  const Ended typo = run({"operate", "paus"});
  EXPECT_EQ(typo.code, 2);
  EXPECT_EQ(typo.errors,
            "convoy: convoy operate knows no paus; did you mean pause? It has pause, resume, "
            "remove, finish (see convoy operate --help)\n");
  EXPECT_EQ(run({"status", "--jsn"}).errors,
            "convoy: convoy status knows no --jsn; did you mean --json? (see convoy status "
            "--help)\n");
  EXPECT_EQ(run({"operate", "remove"}).code, 2);
  EXPECT_EQ(run({"operate", "remove", "../x"}).code, 2);
  EXPECT_EQ(run({"status", "--name", "bert"}).errors,
            "convoy: no " + (certs_ / "bert.crt") +
                ": the administrator of the federation makes it of your request (convoy certs "
                "request, then sign)\n");
  fs::remove(certs_.path() / "anna.key");
  EXPECT_EQ(run({"status"}).errors, "convoy: no certificate NAME.crt with its NAME.key in " +
                                        certs_.path().string() +
                                        ": name the folder with --certs\n");
  EXPECT_TRUE(server_.heard().empty());
}

TEST_F(OperatorCommands, TheOnlyMemberInTheFolderIsMeant) {
  certs_.file("bert.crt", "");
  EXPECT_EQ(run({"status"}).code, 0);  // no key
  certs_.file("bert.key", "");
  const Ended two = run({"status"});
  EXPECT_EQ(two.code, 2);
  EXPECT_NE(two.errors.find("choose one with --name"), std::string::npos) << two.errors;
  EXPECT_EQ(run({"status", "--name", "anna"}).code, 0);
}

// The server decides by the certificate: see also Hostile and Certificates of net_transport_test.
TEST_F(OperatorCommands, StatusNeedsAnOperator) {
  const auto bert = federation_.member("bert", net::Role::kSite);
  for (const auto& file : {bert.certificate, bert.key}) {
    fs::copy_file(file, certs_.path() / file.filename());
  }
  const Ended ended = run({"operate", "finish", "--name", "bert"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(ended.output, "");
  EXPECT_EQ(ended.errors, "convoy: " + (certs_ / "bert.crt") +
                              " is the certificate of a site; needed here is that of an operator "
                              "(convoy certs request NAME --role operator)\n");
  EXPECT_TRUE(commands().empty());
}

TEST_F(OperatorCommands, ARevokedOperatorMustMendThatFirst) {
  federation_.revoke("anna");  // the operator's own list does not say so
  server_.reload_lists();
  const Ended ended = run({"status"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_NE(ended.errors.find("the server has refused our certificate: it is revoked"),
            std::string::npos)
      << ended.errors;
}

TEST_F(OperatorCommands, AServerThatIsNotThereIsNamed) {
  server_.stop();
  const Ended ended = run({"status"});
  EXPECT_EQ(ended.code, 1) << ended.errors;
  EXPECT_NE(ended.errors.find(server_.address()), std::string::npos) << ended.errors;
}

}  // namespace
}  // namespace convoy::tests
