// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/plain_name.h"
#include "launch/commands/command.h"
#include "launch/commands/job_options.h"
#include "launch/commands/operator_options.h"
#include "scheduler/net/subject.h"

namespace convoy::launch {
namespace {

using net::OperatorOrder;

class OperateCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "operate"; }
  [[nodiscard]] std::string summary() const override {
    return "Pauses, resumes or finishes a server's run, or removes a site (operator's certificate)";
  }

  void add_options(CLI::App& app) override {
    app.require_subcommand(1);
    add_order(app, OperatorOrder::kPause, "pause", "Give out no more rounds");
    add_order(app, OperatorOrder::kResume, "resume", "Go on after pause");
    CLI::App* remove =
        add_order(app, OperatorOrder::kRemove, "remove", "Take a site out of the run");
    remove->add_option("SITE", site_, "The site's name")->required();
    add_order(app, OperatorOrder::kFinish, "finish",
              "End the run: what has arrived counts, and every site gets the final model");
    options_.add(app);
    add_json_option(app, json_);
  }

  [[nodiscard]] Preparation prepare(int ranks) override {
    require_config(ranks == 1, "convoy operate runs in one process: call it without convoy launch");
    if (order_ == OperatorOrder::kRemove) require_plain_name(site_, "SITE");
    return {};
  }

  [[nodiscard]] int run(Process& process) override {
    (void)prepare(process.place().ranks);
    as_operator([this] { give_order(); });
    return kSuccess;
  }

 private:
  void give_order() const {
    net::OperatorClient client(options_.client());
    net::Command command{.order = order_};
    if (order_ == OperatorOrder::kRemove) command.site = site_;
    const net::Accepted answer = client.order(command);
    const std::string text = net::printable(answer.text, 300);
    const nlohmann::ordered_json document{
        {"server", client.welcome().server}, {"run", client.welcome().run}, {"answer", text}};
    std::fputs(((json_ ? document.dump() : text) + "\n").c_str(), stdout);
  }

  CLI::App* add_order(CLI::App& app, OperatorOrder order, const std::string& word,
                      const std::string& what) {
    CLI::App* words = app.add_subcommand(word, what);
    words->fallthrough();  // options may stand behind the order
    words->callback([this, order] { order_ = order; });
    return words;
  }

  OperatorCommandOptions options_;
  OperatorOrder order_ = OperatorOrder::kPause;  // by the command line, which has to name one
  std::string site_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_operate_command() { return std::make_unique<OperateCommand>(); }

}  // namespace convoy::launch
