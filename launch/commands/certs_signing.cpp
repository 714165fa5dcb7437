// SPDX-License-Identifier: Apache-2.0
// `convoy certs sign` and `revoke`: what an administrator decides.
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>

#include "base/errors.h"
#include "base/file.h"
#include "launch/commands/certs_action.h"
#include "launch/commands/job_options.h"
#include "scheduler/net/certificate_authority.h"

namespace convoy::launch {
namespace {

namespace fs = std::filesystem;
using net::IssuedCertificate;

class Sign final : public CertsAction {
 public:
  [[nodiscard]] std::string name() const override { return "sign"; }
  [[nodiscard]] std::string summary() const override {
    return "Make a certificate of a request, if it asks for just what is named here";
  }

  void add_options(CLI::App& app) override {
    app.add_option("REQUEST.csr", request_, "The request that the site has sent")->required();
    app.add_option("--name", name_, "Whom the certificate is for")->required();
    subject_.add(app);
    app.add_option("--key-print", key_print_,
                   "Sign only if the key has this fingerprint, as convoy certs request printed it");
    add_ca_option(app, folder_);
    add_days_option(app, "--days", days_, "Days for which the certificate is valid");
    app.add_option("--out", out_,
                   "File for the certificate; without it REQUEST.crt beside REQUEST");
    add_json_option(app, json_);
  }

  [[nodiscard]] std::string run() override {
    const net::Subject subject = subject_.subject(name_);
    const fs::path out = out_.empty() ? fs::path(request_).replace_extension(".crt") : out_;
    require_config(!fs::exists(fs::symlink_status(out)),
                   out.string() + " exists already and is kept; choose another --out");
    require_writable(out);
    net::CertificateAuthority authority(folder_);
    const auto others = living(authority, subject);
    const auto made = authority.sign(request_, subject, net::valid_for_days(days_), key_print_);
    write_file_atomic(out, made.pem);
    return json_ ? as_json(made.entry, out, others) : as_text(made.entry, out, others);
  }

 private:
  static std::vector<IssuedCertificate> living(const net::CertificateAuthority& authority,
                                               const net::Subject& subject) {
    std::vector<IssuedCertificate> found;
    for (const auto& entry : authority.issued()) {
      if (entry.subject.name == subject.name && net::is_living(entry, net::current_time())) {
        found.push_back(entry);
      }
    }
    return found;
  }

  static std::string as_json(const IssuedCertificate& made, const fs::path& out,
                             const std::vector<IssuedCertificate>& others) {
    OrderedJson json = to_json(made);
    json["certificate"] = out.string();
    json["other_serials"] = OrderedJson::array();
    for (const auto& other : others) json["other_serials"].push_back(other.serial);
    return json.dump() + "\n";
  }

  std::string as_text(const IssuedCertificate& made, const fs::path& out,
                      const std::vector<IssuedCertificate>& others) const {
    std::string text = fmt::format("signed {}\n", net::to_text(made.subject));
    text += line("key print",
                 made.key_fingerprint + (key_print_.empty() ? "" : ": as you have asked for"));
    text += line("fingerprint", made.fingerprint);
    text += line("serial", made.serial);
    text += line("valid", to_text(made.validity));
    text += line("certificate", out.string() + ": send it back, with ca.crt and ca.crl");
    if (key_print_.empty()) {
      text += "Compare the key print with its owner's; if they differ: convoy certs revoke " +
              made.serial + "\n";
    }
    for (const auto& other : others) {
      text += fmt::format(
          "\"{}\" has another certificate, {}, until {}; if this one replaces it: "
          "convoy certs revoke {}\n",
          other.subject.name, net::to_text(other.subject.role), net::to_text(other.validity.to),
          other.serial);
    }
    return text;
  }

  fs::path request_;
  std::string name_;
  SubjectOptions subject_;
  std::string key_print_;
  fs::path folder_ = "ca";
  int days_ = 365;
  fs::path out_;
  bool json_ = false;
};

class Revoke final : public CertsAction {
 public:
  [[nodiscard]] std::string name() const override { return "revoke"; }
  [[nodiscard]] std::string summary() const override {
    return "Take a certificate back, or only write the revocation list with new dates";
  }

  void add_options(CLI::App& app) override {
    app.add_option("NAME|SERIAL", word_,
                   "A serial number, or a name: all certificates with this name");
    app.add_flag("--refresh", refresh_, "Revoke nothing, only write the list with new dates");
    add_ca_option(app, folder_);
    add_days_option(app, "--list-days", list_days_,
                    "Days after which members refuse everybody unless they have a newer list");
    add_json_option(app, json_);
  }

  [[nodiscard]] std::string run() override {
    require_config(refresh_ == word_.empty(),
                   "convoy certs revoke takes either NAME|SERIAL or --refresh");
    net::CertificateAuthority authority(folder_);
    const net::Validity validity = net::valid_for_days(list_days_);
    std::vector<IssuedCertificate> revoked;
    if (refresh_) {
      authority.write_list(validity);
    } else {
      revoked = authority.revoke(word_, validity);
    }
    const std::string list = authority.files().list.string();
    return json_ ? as_json(revoked, list, validity) : as_text(revoked, list, validity);
  }

 private:
  static std::string as_json(const std::vector<IssuedCertificate>& revoked, const std::string& list,
                             const net::Validity& validity) {
    OrderedJson json{{"revoked", OrderedJson::array()}, {"list", list}};
    for (const auto& certificate : revoked) json["revoked"].push_back(to_json(certificate));
    add_validity(json, validity);
    return json.dump() + "\n";
  }

  static std::string as_text(const std::vector<IssuedCertificate>& revoked, const std::string& list,
                             const net::Validity& validity) {
    std::string text;
    for (const auto& certificate : revoked) {
      text += fmt::format("revoked {}, serial {}, on {}\n", net::to_text(certificate.subject),
                          certificate.serial, net::to_text(*certificate.revoked));
    }
    return text + fmt::format("wrote {}, which holds until {}: give it to every member now\n", list,
                              net::to_text(validity.to));
  }

  std::string word_;
  bool refresh_ = false;
  fs::path folder_ = "ca";
  int list_days_ = net::AuthorityOptions{}.list_days;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<CertsAction> make_certs_sign() { return std::make_unique<Sign>(); }
std::unique_ptr<CertsAction> make_certs_revoke() { return std::make_unique<Revoke>(); }

}  // namespace convoy::launch
