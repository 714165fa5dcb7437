// SPDX-License-Identifier: Apache-2.0
#include "comm/tcp/internal/listener.h"

#include <netinet/in.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <optional>
#include <sstream>

#include "comm/internal/transport.h"
#include "comm/tcp/internal/address.h"

namespace convoy::comm::tcp {
namespace {

using internal::TransportError;

constexpr std::size_t kMostAddresses = 8;
constexpr std::size_t kMostHostBytes = 63;

[[noreturn]] void throw_errno(const std::string& call) {
  throw TransportError(call + ": " + std::strerror(errno));
}

Secret draw_secret() {
  Secret secret;
  if (::getrandom(secret.data(), secret.size(), 0) != static_cast<ssize_t>(secret.size())) {
    throw_errno("getrandom");
  }
  return secret;
}

std::string host_name() {
  std::array<char, kMostHostBytes + 1> name{};
  ::gethostname(name.data(), kMostHostBytes);
  return name.data();
}

std::vector<std::string> usable_addresses(const std::string& network) {
  std::vector<std::string> all;
  for (const auto& address : host_addresses()) all.push_back(address.text);
  if (network.empty()) {
    all.resize(std::min(all.size(), kMostAddresses));
    return all;
  }
  const HostAddress wanted = parse_network(network);
  for (const auto& address : all) {
    if (in_same_network(address, wanted.text, wanted.prefix_bits)) return {address};
  }
  throw TransportError(fmt::format("host {} has no address in {} (it has {})", host_name(), network,
                                   all.empty() ? "none" : fmt::format("{}", fmt::join(all, ", "))));
}

// Without a port: the kernel chooses one.
std::optional<Descriptor> try_listen(const std::string& address) {
  const Endpoint endpoint = make_endpoint(address, 0);
  Descriptor socket(
      ::socket(endpoint.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!socket.is_open()) return {};
  if (endpoint.family() == AF_INET6) {
    const int only_v6 = 0;
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6);
  }
  if (::bind(socket.get(), endpoint.address(), endpoint.length) != 0) return {};
  if (::listen(socket.get(), SOMAXCONN) != 0) return {};
  return socket;
}

std::uint16_t port_of(const Descriptor& socket) {
  Endpoint bound;
  bound.length = sizeof bound.storage;
  if (::getsockname(socket.get(), bound.address(), &bound.length) != 0) throw_errno("getsockname");
  return port_of(bound);
}

}  // namespace

std::vector<std::uint8_t> encode(const Offer& offer) {
  std::vector<std::uint8_t> bytes(offer.secret.begin(), offer.secret.end());
  const std::string text =
      fmt::format("{} {} {}", offer.port, offer.host.empty() ? "?" : offer.host,
                  fmt::join(offer.addresses, " "));
  bytes.insert(bytes.end(), text.begin(), text.end());
  bytes.resize(kOfferBytes);
  return bytes;
}

Offer decode_offer(std::span<const std::uint8_t> bytes) {
  Offer offer;
  if (bytes.size() != kOfferBytes) throw TransportError("an offer of another size");
  std::copy_n(bytes.begin(), offer.secret.size(), offer.secret.begin());
  const auto text = bytes.subspan(offer.secret.size());
  std::istringstream words(std::string(text.begin(), std::ranges::find(text, 0)));
  if (!(words >> offer.port >> offer.host)) throw TransportError("an offer without a port");
  offer.addresses.assign(std::istream_iterator<std::string>(words), {});
  return offer;
}

Listener listen(const std::string& network) {
  Listener listener{
      .socket = {},
      .offer = {
          .secret = draw_secret(), .host = host_name(), .addresses = usable_addresses(network)}};
  // Both families where there are both.
  std::vector<std::string> places{"::", "0.0.0.0"};
  if (!network.empty()) places = listener.offer.addresses;
  for (const auto& place : places) {
    auto socket = try_listen(place);
    if (!socket) continue;
    listener.offer.port = port_of(*socket);
    listener.socket = std::move(*socket);
    return listener;
  }
  throw_errno("listen");
}

}  // namespace convoy::comm::tcp
