// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <map>

namespace convoy::net::internal {

/// Counts what is open from each address. IPv6 addresses of one /64 network are one: a single host
/// has as many of them as it likes. Not thread-safe.
class Admission {
 public:
  using Address = boost::asio::ip::address;

  explicit Admission(std::size_t most_per_address) : most_(most_per_address) {}

  /// @return false, and counts nothing, if there are too many from there already.
  [[nodiscard]] bool enter(const Address& address);
  void leave(const Address& address);

 private:
  std::size_t most_;
  std::map<Address, std::size_t> open_;
};

}  // namespace convoy::net::internal
