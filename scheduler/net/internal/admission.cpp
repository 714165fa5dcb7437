// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/admission.h"

#include <algorithm>

namespace convoy::net::internal {
namespace {

namespace ip = boost::asio::ip;

constexpr std::size_t kNetworkBytes = 8;

}  // namespace

ip::address network_of(const ip::address& address) {
  if (address.is_v4()) return address;
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, v6);
  auto bytes = v6.to_bytes();
  std::fill(bytes.begin() + kNetworkBytes, bytes.end(), static_cast<unsigned char>(0));
  return ip::address_v6(bytes);
}

}  // namespace convoy::net::internal
