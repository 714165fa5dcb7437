// SPDX-License-Identifier: Apache-2.0
// `convoy certs show`: files and CAs for people to read.
#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/errors.h"
#include "launch/commands/certs_action.h"
#include "launch/commands/job_options.h"
#include "scheduler/net/certificate_authority.h"
#include "scheduler/net/pem_content.h"

namespace convoy::launch {
namespace {

namespace fs = std::filesystem;
using net::PemContent;

/// "until ..., 12 days" or that it is over.
std::string remaining(const net::Validity& validity) {
  const auto now = net::current_time();
  const std::string text = to_text(validity);
  if (now < validity.from) return text + " (not valid yet)";
  if (now > validity.to) return text + " (over)";
  return fmt::format("{} ({} days left)", text,
                     std::chrono::floor<std::chrono::days>(validity.to - now).count());
}

OrderedJson content_json(const PemContent& content) {
  OrderedJson json{{"kind", content.kind}};
  if (content.subject) {
    json.update(to_json(*content.subject));
  } else if (!content.name.empty()) {
    json["name"] = content.name;
  }
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) json[key] = value;
  };
  add("problem", content.problem);
  add("issuer", content.issuer);
  add("serial", content.serial);
  add("fingerprint", content.fingerprint);
  add("key_fingerprint", content.key_fingerprint);
  if (content.validity) add_validity(json, *content.validity);
  if (content.kind == "revocation list") json["revoked"] = content.revoked;
  return json;
}

std::string content_text(const PemContent& content) {
  std::string text = content.kind;
  if (content.subject) {
    text += ": " + net::to_text(*content.subject);
  } else if (!content.name.empty()) {
    text += fmt::format(" \"{}\"", content.name);
  }
  text += "\n";
  const auto add = [&](const char* what, const std::string& value) {
    if (!value.empty()) text += line(what, value);
  };
  add("not usable", content.problem);
  add("key print", content.key_fingerprint);
  add("fingerprint", content.fingerprint);
  add("serial", content.serial);
  add("issuer", content.issuer);
  if (content.validity) add("valid", remaining(*content.validity));
  for (const auto& serial : content.revoked) add("revoked", serial);
  return text;
}

std::string state_of(const net::IssuedCertificate& certificate) {
  if (certificate.revoked) return "revoked " + net::to_text(*certificate.revoked);
  return (net::is_living(certificate, net::current_time()) ? "until " : "over since ") +
         net::to_text(certificate.validity.to);
}

class Show final : public CertsAction {
 public:
  [[nodiscard]] std::string name() const override { return "show"; }
  [[nodiscard]] std::string summary() const override {
    return "Say what a certificate, request, list or key holds, or what a CA has signed";
  }

  void add_options(CLI::App& app) override {
    app.add_option("PATH", path_, "A PEM file, or the folder of a CA")->required();
    add_json_option(app, json_);
  }

  [[nodiscard]] std::string run() override {
    return fs::is_directory(path_) ? show_authority() : show_file();
  }

 private:
  [[nodiscard]] std::string show_file() const {
    const auto contents = net::read_pem_content(path_);
    OrderedJson list = OrderedJson::array();
    std::string text;
    for (const auto& content : contents) {
      list.push_back(content_json(content));
      text += content_text(content);
    }
    return json_ ? OrderedJson{{"path", path_.string()}, {"content", list}}.dump() + "\n" : text;
  }

  [[nodiscard]] std::string show_authority() const {
    const net::CertificateAuthority authority(path_);
    const auto list = net::read_pem_content(authority.files().list).front();
    return json_ ? authority_json(authority, list) : authority_text(authority, list);
  }

  [[nodiscard]] std::string authority_json(const net::CertificateAuthority& authority,
                                           const PemContent& list) const {
    OrderedJson json{{"path", path_.string()},
                     {"name", authority.name()},
                     {"fingerprint", authority.fingerprint()}};
    add_validity(json, authority.validity());
    json["list"] = content_json(list);
    json["certificates"] = OrderedJson::array();
    for (const auto& entry : authority.issued()) json["certificates"].push_back(to_json(entry));
    return json.dump() + "\n";
  }

  [[nodiscard]] static std::string authority_text(const net::CertificateAuthority& authority,
                                                  const PemContent& list) {
    std::string text = fmt::format("CA \"{}\"\n", authority.name());
    text += line("fingerprint", authority.fingerprint());
    text += line("valid", remaining(authority.validity()));
    text += line("list", list.validity ? remaining(*list.validity) : "without an end");
    std::size_t width = 4;
    for (const auto& entry : authority.issued()) {
      width = std::max(width, entry.subject.name.size());
    }
    text += fmt::format("\n{:<8}  {:<{}}  {:<40}  state\n", "role", "name", width, "serial");
    for (const auto& entry : authority.issued()) {
      text += fmt::format("{:<8}  {:<{}}  {:<40}  {}\n", net::to_text(entry.subject.role),
                          entry.subject.name, width, entry.serial, state_of(entry));
    }
    return text;
  }

  fs::path path_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<CertsAction> make_certs_show() { return std::make_unique<Show>(); }

}  // namespace convoy::launch
