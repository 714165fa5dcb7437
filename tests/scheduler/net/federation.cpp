// SPDX-License-Identifier: Apache-2.0
#include "tests/scheduler/net/federation.h"

#include <fstream>

#include "scheduler/net/certificate_request.h"

namespace convoy::tests {

using net::CertificateAuthority;
using net::Role;

Federation::Federation() { (void)CertificateAuthority::create(folder_.path() / "ca", {}); }

net::Credentials Federation::member(const std::string& name, Role role, int from_day, int to_day) {
  std::vector<std::string> hosts;
  if (role == Role::kServer) hosts = {"hub.example.org", "127.0.0.1"};
  const auto subject = net::make_subject(name, role, hosts);
  const auto request = net::make_request(folder_.path() / name, subject);
  CertificateAuthority authority(path("ca"));
  const auto made = authority.sign(request.request, subject, days(from_day, to_day));
  const auto certificate = folder_.path() / name / (name + ".crt");
  std::ofstream(certificate) << made.pem;
  return {certificate, request.key};
}

void Federation::revoke(const std::string& name) {
  (void)CertificateAuthority(path("ca")).revoke(name, days(0, 30));
}

void Federation::write_list(int from_day, int to_day) {
  CertificateAuthority(path("ca")).write_list(days(from_day, to_day));
}

std::filesystem::path Federation::path(const std::string& name) const {
  return folder_.path() / name;
}

net::AuthorityFiles Federation::files() const { return net::AuthorityFiles(path("ca")); }

net::PeerVerifier::Options Federation::accepting(std::vector<Role> roles,
                                                 const std::string& host) const {
  return {files().certificate, files().list, std::move(roles), host};
}

net::Validity days(int from, int to) {
  const auto now = net::current_time();
  return {now + std::chrono::days(from) - std::chrono::minutes(1), now + std::chrono::days(to)};
}

}  // namespace convoy::tests
