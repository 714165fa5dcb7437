// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace convoy::net {

/// What a certificate lets its owner be. Each certificate has exactly one role.
enum class Role {
  kServer,    ///< `convoy serve`: extended key usage serverAuth
  kSite,      ///< `convoy join`: clientAuth
  kOperator,  ///< `convoy status` and orders: kOperatorUsage, which no other program accepts
};

/// The extended key usage of operators: an object identifier of convoy's own, below 2.25 (UUIDs),
/// where no registration is needed.
inline constexpr const char* kOperatorUsage = "2.25.152896212340134536567804731709398210331";

/// "server", "site", "operator".
[[nodiscard]] std::string_view to_text(Role role);
[[nodiscard]] std::optional<Role> role_named(std::string_view text);

/// Text of strangers for a message or a log: no more than `most` characters, and none that is not
/// printable ASCII.
[[nodiscard]] std::string printable(std::string_view text, std::size_t most = 64);

/// An IP address as inet_ntop() writes it, a host name in lower case; nothing for what is neither
/// (wildcards too).
[[nodiscard]] std::optional<std::string> canonical_host(const std::string& host);

/// Who a request or a certificate is for.
struct Subject {
  std::string name;
  Role role = Role::kSite;
  /// A server's: host names and IP addresses, canonical, sorted, each once. Others have none.
  std::vector<std::string> hosts;

  friend bool operator==(const Subject&, const Subject&) = default;
};

/// @throws ConfigError unless the name is allowed, and hosts stand where they must and nowhere
/// else.
[[nodiscard]] Subject make_subject(std::string name, Role role, std::vector<std::string> hosts);

/// 'server "hub" (hub.example.org, 10.0.0.1)'.
[[nodiscard]] std::string to_text(const Subject& subject);

}  // namespace convoy::net
