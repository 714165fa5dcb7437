// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/errors.h"
#include "launch/commands/command.h"
#include "launch/commands/job_options.h"
#include "launch/commands/operator_options.h"
#include "launch/commands/status_report.h"

namespace convoy::launch {
namespace {

class StatusCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "status"; }
  [[nodiscard]] std::string summary() const override {
    return "What a server and its sites are doing (needs an operator's certificate)";
  }

  void add_options(CLI::App& app) override {
    options_.add(app);
    add_json_option(app, json_);
  }

  [[nodiscard]] Preparation prepare(int ranks) override {
    require_config(ranks == 1, "convoy status runs in one process: call it without convoy launch");
    return {};
  }

  [[nodiscard]] int run(Process& process) override {
    (void)prepare(process.place().ranks);
    as_operator([this] { show(); });
    return kSuccess;
  }

 private:
  void show() const {
    net::OperatorClient client(options_.client());
    const net::Status status = client.status();
    const std::string& server = client.welcome().server;
    std::fputs((json_ ? status_json(status, server) : status_text(status, server)).c_str(), stdout);
  }

  OperatorCommandOptions options_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_status_command() { return std::make_unique<StatusCommand>(); }

}  // namespace convoy::launch
