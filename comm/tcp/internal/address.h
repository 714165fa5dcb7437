// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

namespace convoy::comm::tcp {

/// An IPv4 or IPv6 address with a port, as the kernel takes it.
struct Endpoint {
  sockaddr_storage storage{};
  socklen_t length = 0;

  [[nodiscard]] const sockaddr* address() const {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
  [[nodiscard]] sockaddr* address() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] int family() const { return storage.ss_family; }
};

/// @param text  an address in digits. @throws TransportError if it is none.
[[nodiscard]] Endpoint make_endpoint(const std::string& text, std::uint16_t port);
/// "10.0.0.1:4711" or "[fd00::1]:4711".
[[nodiscard]] std::string to_string(const Endpoint& endpoint);
[[nodiscard]] std::uint16_t port_of(const Endpoint& endpoint);

/// "10.0.0.1/16": an address of this host with the length of its network.
struct HostAddress {
  std::string text;
  int prefix_bits = 0;
};

/// Those of interfaces that are up, without loopback and link-local ones.
[[nodiscard]] std::vector<HostAddress> host_addresses();

/// True when both lie in one network of `prefix_bits`; false for different families.
[[nodiscard]] bool in_same_network(const std::string& a, const std::string& b, int prefix_bits);

/// "10.1.0.0/16" in two parts. @throws ConfigError if it is not of that form.
[[nodiscard]] HostAddress parse_network(const std::string& network);

}  // namespace convoy::comm::tcp
