// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/subject.h"

#include <arpa/inet.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/errors.h"
#include "base/plain_name.h"

namespace convoy::net {
namespace {

constexpr std::size_t kMaxName = 64;  // also the longest common name of X.509
constexpr std::size_t kMaxHost = 253;

constexpr std::array kRoles{std::pair{Role::kServer, std::string_view("server")},
                            std::pair{Role::kSite, std::string_view("site")},
                            std::pair{Role::kOperator, std::string_view("operator")}};

/// Not std::isalnum, which asks the locale.
bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_name_character(char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-'; }

std::optional<std::string> canonical_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  std::array<char, INET6_ADDRSTRLEN> written{};
  for (const int family : {AF_INET, AF_INET6}) {
    if (::inet_pton(family, text.c_str(), address.data()) != 1) continue;
    if (::inet_ntop(family, address.data(), written.data(), written.size()) != nullptr) {
      return written.data();
    }
  }
  return {};
}

}  // namespace

std::string_view to_text(Role role) {
  return std::find_if(kRoles.begin(), kRoles.end(), [&](auto& r) { return r.first == role; })
      ->second;
}

std::optional<Role> role_named(std::string_view text) {
  for (const auto& [role, name] : kRoles) {
    if (name == text) return role;
  }
  return {};
}

std::string printable(std::string_view text, std::size_t most) {
  std::string result;
  for (const char c : text.substr(0, most)) result += c >= ' ' && c <= '~' ? c : '?';
  return text.size() > most ? result + "..." : result;
}

std::optional<std::string> canonical_host(const std::string& host) {
  if (host.find('\0') != std::string::npos) return {};
  if (auto address = canonical_address(host)) return address;
  if (host.empty() || host.size() > kMaxHost || !is_letter_or_digit(host.front()) ||
      host.find("..") != std::string::npos ||
      !std::all_of(host.begin(), host.end(), is_name_character)) {
    return {};
  }
  std::string lower(host);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

Subject make_subject(std::string name, Role role, std::vector<std::string> hosts) {
  require_config(
      is_plain_name(name),
      fmt::format("the name \"{}\" is not allowed: 1 to 64 of A-Z a-z 0-9 . _ -", printable(name)));
  require_config(role == Role::kServer || hosts.empty(),
                 fmt::format("a certificate for the role {} names no hosts", to_text(role)));
  require_config(role != Role::kServer || !hosts.empty(),
                 "a server's certificate must name the hosts (names or IP addresses) at which "
                 "sites reach it: --host");
  for (auto& host : hosts) {
    const auto canonical = canonical_host(host);
    require_config(canonical.has_value(),
                   fmt::format("\"{}\" is no host name and no IP address", printable(host)));
    host = *canonical;
  }
  std::sort(hosts.begin(), hosts.end());
  hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
  return {std::move(name), role, std::move(hosts)};
}

std::string to_text(const Subject& subject) {
  std::string text = fmt::format("{} \"{}\"", to_text(subject.role), printable(subject.name));
  if (!subject.hosts.empty()) text += fmt::format(" ({})", fmt::join(subject.hosts, ", "));
  return text;
}

}  // namespace convoy::net
