// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace convoy::net::internal {

/// An error of OpenSSL's (ERR_get_error()) in plain words. @param other  "the server": who sent it,
/// if it is an alert. A refusal of our certificate says so.
[[nodiscard]] std::string tls_problem(unsigned long error, std::string_view other);

}  // namespace convoy::net::internal
