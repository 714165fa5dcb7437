// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstddef>

#include "scheduler/net/internal/quota.h"

namespace convoy::net::internal {

/// What stands for an address where hosts are told apart: IPv6 addresses of one /64 network are
/// one, as a single host has as many of them as it likes.
[[nodiscard]] boost::asio::ip::address network_of(const boost::asio::ip::address& address);

/// Counts what is open from each address. Not thread-safe.
class Admission {
 public:
  using Address = boost::asio::ip::address;

  explicit Admission(std::size_t most_per_address) : open_(most_per_address) {}

  /// @return false, and counts nothing, if there are too many from there already.
  [[nodiscard]] bool enter(const Address& address) { return open_.enter(network_of(address)); }
  void leave(const Address& address) { open_.leave(network_of(address)); }

 private:
  Quota<Address> open_;
};

}  // namespace convoy::net::internal
