// SPDX-License-Identifier: Apache-2.0
#include "comm/tcp/internal/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>

#include "comm/internal/transport.h"

namespace convoy::comm::tcp {
namespace {

// The address in network order: 4 or 16 bytes; none for text that is no address.
std::vector<std::uint8_t> bytes_of(const std::string& text) {
  std::vector<std::uint8_t> bytes(sizeof(in6_addr));
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  bytes.resize(sizeof(in_addr));
  if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return bytes;
  return {};
}

std::span<const std::uint8_t> raw_bytes(const sockaddr& address) {
  if (address.sa_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    return {reinterpret_cast<const std::uint8_t*>(&v6), sizeof v6};
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(address).sin_addr;
  return {reinterpret_cast<const std::uint8_t*>(&v4), sizeof v4};
}

std::string text_of(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(address.sa_family, raw_bytes(address).data(), text.data(), text.size());
  return text.data();
}

bool is_usable(const ifaddrs& entry) {
  if (entry.ifa_addr == nullptr || entry.ifa_netmask == nullptr) return false;
  if ((entry.ifa_flags & IFF_UP) == 0 || (entry.ifa_flags & IFF_LOOPBACK) != 0) return false;
  if (entry.ifa_addr->sa_family == AF_INET) return true;
  if (entry.ifa_addr->sa_family != AF_INET6) return false;
  return !IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<sockaddr_in6*>(entry.ifa_addr)->sin6_addr);
}

int count_bits(const sockaddr& mask) {
  int bits = 0;
  for (const std::uint8_t byte : raw_bytes(mask)) bits += std::popcount(byte);
  return bits;
}

}  // namespace

Endpoint make_endpoint(const std::string& text, std::uint16_t port) {
  const auto bytes = bytes_of(text);
  Endpoint endpoint;
  if (bytes.size() == sizeof(in6_addr)) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(endpoint.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
    endpoint.length = sizeof v6;
  } else if (bytes.size() == sizeof(in_addr)) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(endpoint.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, bytes.data(), bytes.size());
    endpoint.length = sizeof v4;
  } else {
    throw internal::TransportError("\"" + text + "\" is no address");
  }
  return endpoint;
}

std::uint16_t port_of(const Endpoint& endpoint) {
  if (endpoint.family() == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6&>(endpoint.storage).sin6_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in&>(endpoint.storage).sin_port);
}

std::string to_string(const Endpoint& endpoint) {
  const std::string text = text_of(*endpoint.address());
  const std::string host = endpoint.family() == AF_INET6 ? "[" + text + "]" : text;
  return host + ":" + std::to_string(port_of(endpoint));
}

std::vector<HostAddress> host_addresses() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) {
    throw internal::TransportError(std::string("getifaddrs: ") + std::strerror(errno));
  }
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> all(first, ::freeifaddrs);
  std::vector<HostAddress> result;
  for (const ifaddrs* entry = all.get(); entry != nullptr; entry = entry->ifa_next) {
    if (!is_usable(*entry)) continue;
    result.push_back({text_of(*entry->ifa_addr), count_bits(*entry->ifa_netmask)});
  }
  return result;
}

bool in_same_network(const std::string& a, const std::string& b, int prefix_bits) {
  const auto x = bytes_of(a);
  const auto y = bytes_of(b);
  if (x.empty() || x.size() != y.size()) return false;
  for (std::size_t i = 0; i < x.size() && prefix_bits > 0; ++i, prefix_bits -= 8) {
    const int bits = prefix_bits < 8 ? prefix_bits : 8;
    const auto mask = static_cast<std::uint8_t>(0xFF00U >> static_cast<unsigned>(bits));
    if ((x[i] & mask) != (y[i] & mask)) return false;
  }
  return true;
}

HostAddress parse_network(const std::string& network) {
  const auto slash = network.find('/');
  const std::string address = network.substr(0, slash);
  const std::string digits = slash == std::string::npos ? "" : network.substr(slash + 1);
  const bool is_number = !digits.empty() && digits.size() <= 3 &&
                         digits.find_first_not_of("0123456789") == std::string::npos;
  const auto bytes = bytes_of(address).size();
  const int bits = is_number ? std::stoi(digits) : -1;
  require_config(bytes > 0 && bits >= 0 && bits <= static_cast<int>(bytes) * 8,
                 "\"" + network + R"(" is no network: give one like "10.1.0.0/16")");
  return {address, bits};
}

}  // namespace convoy::comm::tcp
