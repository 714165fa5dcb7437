// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "scheduler/net/certificate_authority.h"
#include "scheduler/net/peer_verifier.h"
#include "scheduler/net/tls_settings.h"
#include "tests/temporary_folder.h"

namespace convoy::tests {

/// A CA in a temporary folder, and members whose keys lie beside it.
class Federation {
 public:
  Federation();

  /// Key, request and certificate of a member; a server's hosts are "hub.example.org", 127.0.0.1.
  net::Credentials member(const std::string& name, net::Role role, int from_day = 0,
                          int to_day = 30);
  void revoke(const std::string& name);
  /// The list with these dates, in days from now.
  void write_list(int from_day, int to_day);

  [[nodiscard]] std::filesystem::path path(const std::string& name) const;
  [[nodiscard]] net::AuthorityFiles files() const;
  [[nodiscard]] net::PeerVerifier::Options accepting(std::vector<net::Role> roles,
                                                     const std::string& host = "") const;

 private:
  TemporaryFolder folder_;
};

/// From and to, in days from now.
[[nodiscard]] net::Validity days(int from, int to);

}  // namespace convoy::tests
