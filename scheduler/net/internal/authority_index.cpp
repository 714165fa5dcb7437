// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/authority_index.h"

#include <span>
#include <string>
#include <utility>

#include "base/errors.h"
#include "base/file.h"
#include "base/json_object.h"

namespace convoy::net::internal {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const IssuedCertificate& certificate) {
  Json json{{"serial", certificate.serial},
            {"name", certificate.subject.name},
            {"role", to_text(certificate.subject.role)},
            {"hosts", certificate.subject.hosts},
            {"fingerprint", certificate.fingerprint},
            {"key_fingerprint", certificate.key_fingerprint},
            {"valid_from", to_text(certificate.validity.from)},
            {"valid_to", to_text(certificate.validity.to)}};
  if (certificate.revoked) json["revoked"] = to_text(*certificate.revoked);
  return json;
}

IssuedCertificate read_certificate(const JsonObject& object) {
  const auto role = role_named(object.text("role"));
  if (!role) object.fail("unknown role \"" + object.text("role") + "\"");
  std::vector<std::string> hosts;
  for (const auto& host : object.at("hosts")) {
    if (!host.is_string()) object.wrong_type("hosts", "a list of texts");
    hosts.push_back(host.get<std::string>());
  }
  IssuedCertificate certificate{
      .serial = object.text("serial"),
      .subject = make_subject(object.text("name"), *role, std::move(hosts)),
      .fingerprint = object.text("fingerprint"),
      .key_fingerprint = object.text("key_fingerprint"),
      .validity = {parse_time(object.text("valid_from")), parse_time(object.text("valid_to"))},
      .revoked = {}};
  if (object.has("revoked")) certificate.revoked = parse_time(object.text("revoked"));
  return certificate;
}

}  // namespace

AuthorityIndex read_index(const std::filesystem::path& path) {
  const auto json = parse_json(read_text_file(path), path.string());
  const JsonObject object(json, path.string(), {"list_number", "certificates"});
  AuthorityIndex index{object.integer("list_number", 0), {}};
  const auto& list = object.at("certificates");
  if (!list.is_array()) object.wrong_type("certificates", "a list");
  for (std::size_t i = 0; i < list.size(); ++i) {
    index.certificates.push_back(read_certificate(
        JsonObject(list[i], path.string() + ": certificates[" + std::to_string(i) + "]",
                   {"serial", "name", "role", "hosts", "fingerprint", "key_fingerprint",
                    "valid_from", "valid_to", "revoked"})));
  }
  return index;
}

void write_index(const std::filesystem::path& path, const AuthorityIndex& index) {
  Json list = Json::array();
  for (const auto& certificate : index.certificates) list.push_back(to_json(certificate));
  const Json json{{"list_number", index.list_number}, {"certificates", std::move(list)}};
  const std::string text = json.dump(1) + "\n";
  write_private_file_atomic(path, std::as_bytes(std::span(text)));
}

}  // namespace convoy::net::internal
