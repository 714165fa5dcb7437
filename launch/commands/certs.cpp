// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/errors.h"
#include "launch/commands/certs_action.h"
#include "launch/commands/command.h"

namespace convoy::launch {
namespace {

class CertsCommand final : public Command {
 public:
  CertsCommand() {
    for (const auto make : {make_certs_init, make_certs_request, make_certs_sign, make_certs_revoke,
                            make_certs_show}) {
      actions_.push_back(make());
    }
  }

  [[nodiscard]] std::string name() const override { return "certs"; }
  [[nodiscard]] std::string summary() const override {
    return "Certificates of a federation over the internet: who may talk to whom";
  }

  void add_options(CLI::App& app) override {
    app.require_subcommand(1);
    for (auto& action : actions_) {
      auto* words = app.add_subcommand(action->name(), action->summary());
      action->add_options(*words);
      words->callback([this, &action] { chosen_ = action.get(); });
    }
  }

  [[nodiscard]] Preparation prepare(int ranks) override {
    require_config(ranks == 1, "convoy certs runs in one process: call it without convoy launch");
    return {};
  }

  [[nodiscard]] int run(Process& process) override {
    (void)prepare(process.place().ranks);
    std::fputs(chosen_->run().c_str(), stdout);
    return kSuccess;
  }

 private:
  std::vector<std::unique_ptr<CertsAction>> actions_;
  CertsAction* chosen_ = nullptr;  // by the command line, which has to name one
};

}  // namespace

std::unique_ptr<Command> make_certs_command() { return std::make_unique<CertsCommand>(); }

void SubjectOptions::add(CLI::App& app) {
  app.add_option("--role", role,
                 "What it lets its owner be: server (convoy serve), site (convoy "
                 "join) or operator (convoy status)")
      ->check(CLI::IsMember({"server", "site", "operator"}))
      ->capture_default_str();
  app.add_option("--host", hosts,
                 "A host name or IP address at which sites reach the server (repeatable; role "
                 "server only)")
      ->allow_extra_args(false);
}

net::Subject SubjectOptions::subject(const std::string& name) const {
  return net::make_subject(name, net::role_named(role).value(), hosts);
}

void add_ca_option(CLI::App& app, std::filesystem::path& folder) {
  app.add_option("--ca", folder, "Folder of the CA")->capture_default_str();
}

void add_days_option(CLI::App& app, const std::string& option, int& days, const std::string& what) {
  app.add_option(option, days, what)->check(CLI::Range(1, 36500))->capture_default_str();
}

OrderedJson to_json(const net::Subject& subject) {
  return {{"name", subject.name}, {"role", net::to_text(subject.role)}, {"hosts", subject.hosts}};
}

OrderedJson to_json(const net::IssuedCertificate& certificate) {
  OrderedJson json = to_json(certificate.subject);
  json["serial"] = certificate.serial;
  json["fingerprint"] = certificate.fingerprint;
  json["key_fingerprint"] = certificate.key_fingerprint;
  add_validity(json, certificate.validity);
  if (certificate.revoked) json["revoked"] = net::to_text(*certificate.revoked);
  return json;
}

void add_validity(OrderedJson& json, const net::Validity& validity) {
  json["valid_from"] = net::to_text(validity.from);
  json["valid_to"] = net::to_text(validity.to);
}

std::string line(const std::string& what, const std::string& value) {
  return fmt::format("  {:<12} {}\n", what, value);
}

std::string to_text(const net::Validity& validity) {
  return net::to_text(validity.from) + " to " + net::to_text(validity.to);
}

}  // namespace convoy::launch
