// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/admission.h"

#include <algorithm>

namespace convoy::net::internal {
namespace {

namespace ip = boost::asio::ip;

constexpr std::size_t kNetworkBytes = 8;

ip::address network_of(const ip::address& address) {
  if (address.is_v4()) return address;
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, v6);
  auto bytes = v6.to_bytes();
  std::fill(bytes.begin() + kNetworkBytes, bytes.end(), static_cast<unsigned char>(0));
  return ip::address_v6(bytes);
}

}  // namespace

bool Admission::enter(const Address& address) {
  auto& count = open_[network_of(address)];
  if (count >= most_) {
    if (count == 0) open_.erase(network_of(address));
    return false;
  }
  ++count;
  return true;
}

void Admission::leave(const Address& address) {
  const auto found = open_.find(network_of(address));
  if (found != open_.end() && --found->second == 0) open_.erase(found);
}

}  // namespace convoy::net::internal
