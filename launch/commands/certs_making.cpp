// SPDX-License-Identifier: Apache-2.0
// `convoy certs init` and `request`: where keys are made.
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>

#include "launch/commands/certs_action.h"
#include "launch/commands/job_options.h"
#include "scheduler/net/certificate_authority.h"
#include "scheduler/net/certificate_request.h"

namespace convoy::launch {
namespace {

class Init final : public CertsAction {
 public:
  [[nodiscard]] std::string name() const override { return "init"; }
  [[nodiscard]] std::string summary() const override {
    return "Make the federation's CA: its key, certificate and revocation list";
  }

  void add_options(CLI::App& app) override {
    add_ca_option(app, folder_);
    app.add_option("--name", options_.name, "The CA's name in its certificate")
        ->capture_default_str();
    add_days_option(app, "--days", options_.days, "Days for which the CA is valid");
    add_days_option(app, "--list-days", options_.list_days,
                    "Days after which members refuse everybody unless they have a newer "
                    "revocation list");
    add_json_option(app, json_);
  }

  [[nodiscard]] std::string run() override {
    const auto authority = net::CertificateAuthority::create(folder_, options_);
    return json_ ? as_json(authority) : as_text(authority);
  }

 private:
  [[nodiscard]] static std::string as_json(const net::CertificateAuthority& authority) {
    const auto& files = authority.files();
    OrderedJson json{{"name", authority.name()}, {"fingerprint", authority.fingerprint()}};
    add_validity(json, authority.validity());
    json["key"] = files.key.string();
    json["certificate"] = files.certificate.string();
    json["list"] = files.list.string();
    json["index"] = files.index.string();
    return json.dump() + "\n";
  }

  [[nodiscard]] std::string as_text(const net::CertificateAuthority& authority) const {
    const auto& files = authority.files();
    std::string text = fmt::format("made the CA \"{}\"\n", authority.name());
    text += line("fingerprint", authority.fingerprint());
    text += line("valid", to_text(authority.validity()));
    text += line("key", files.key.string() + ": stays here, and a copy in a safe place");
    text += line("certificate", files.certificate.string() + ": for every member");
    text += line("list", fmt::format("{}: for every member, anew within {} days (convoy certs "
                                     "revoke --refresh)",
                                     files.list.string(), options_.list_days));
    text += line("index", files.index.string() + ": what has been signed");
    return text;
  }

  std::filesystem::path folder_ = "ca";
  net::AuthorityOptions options_;
  bool json_ = false;
};

class Request final : public CertsAction {
 public:
  [[nodiscard]] std::string name() const override { return "request"; }
  [[nodiscard]] std::string summary() const override {
    return "Make a key, which stays here, and a request for the federation's administrator";
  }

  void add_options(CLI::App& app) override {
    app.add_option("NAME", name_,
                   "Name of the site, server or operator: 1 to 64 of A-Z a-z 0-9 . _ -")
        ->required();
    subject_.add(app);
    app.add_option("--folder", folder_, "Where NAME.key and NAME.csr are made")
        ->capture_default_str();
    add_json_option(app, json_);
  }

  [[nodiscard]] std::string run() override {
    const net::Subject subject = subject_.subject(name_);
    const auto files = net::make_request(folder_, subject);
    return json_ ? as_json(subject, files) : as_text(subject, files);
  }

 private:
  [[nodiscard]] static std::string as_json(const net::Subject& subject,
                                           const net::RequestFiles& files) {
    OrderedJson json = to_json(subject);
    json["key_fingerprint"] = files.key_fingerprint;
    json["key"] = files.key.string();
    json["request"] = files.request.string();
    return json.dump() + "\n";
  }

  [[nodiscard]] static std::string as_text(const net::Subject& subject,
                                           const net::RequestFiles& files) {
    std::string text = fmt::format("made a key and a request for {}\n", net::to_text(subject));
    text += line("key", files.key.string() + ": stays here, give it to nobody");
    text += line("request", files.request.string() + ": send it to the federation's administrator");
    text += line("key print", files.key_fingerprint);
    text += "Tell the administrator the key print by telephone or in person.\n";
    return text;
  }

  std::string name_;
  SubjectOptions subject_;
  std::filesystem::path folder_ = ".";
  bool json_ = false;
};

}  // namespace

std::unique_ptr<CertsAction> make_certs_init() { return std::make_unique<Init>(); }
std::unique_ptr<CertsAction> make_certs_request() { return std::make_unique<Request>(); }

}  // namespace convoy::launch
