// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include <charconv>
#include <optional>
#include <string_view>

#include "base/errors.h"
#include "scheduler/net/dialer.h"
#include "scheduler/net/subject.h"

namespace convoy::net {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text, std::uint16_t lowest) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < lowest) return {};
  return port;
}

/// "[::1]" -> "::1"; other IPv6 addresses cannot be told from their port.
std::optional<std::string> parse_host(std::string_view text) {
  const bool in_brackets = text.size() > 2 && text.front() == '[' && text.back() == ']';
  if (in_brackets) text = text.substr(1, text.size() - 2);
  if (in_brackets != (text.find(':') != std::string_view::npos)) return {};
  return canonical_host(std::string(text));
}

}  // namespace

HostPort parse_host_port(const std::string& text, const std::string& what, std::uint16_t lowest) {
  const auto colon = text.rfind(':');
  if (colon != std::string::npos) {
    const auto host = parse_host(std::string_view(text).substr(0, colon));
    const auto port = parse_port(std::string_view(text).substr(colon + 1), lowest);
    if (host && port) return {*host, *port};
  }
  throw ConfigError(
      fmt::format("{}: \"{}\" is not HOST:PORT, such as hub.example.org:7443, "
                  "10.0.0.1:7443 or [::1]:7443",
                  what, printable(text, 300)));
}

}  // namespace convoy::net
