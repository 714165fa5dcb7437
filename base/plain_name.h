// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace convoy {

/// Whether `name` may stand in a path, a log or a certificate: [A-Za-z0-9._-]{1,64}, but neither
/// "." nor "..".
[[nodiscard]] bool is_plain_name(std::string_view name);

/// @param what  for the message: "site", "update", ...
/// @throws ConfigError unless is_plain_name(). The message holds no character that could harm a
/// log.
void require_plain_name(std::string_view name, std::string_view what);

}  // namespace convoy
