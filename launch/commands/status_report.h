// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "scheduler/net/operator_messages.h"

namespace convoy::launch {

/// For people: a few lines about the run, then a line for each site.
[[nodiscard]] std::string status_text(const net::Status& status, const std::string& server);
/// One document.
[[nodiscard]] std::string status_json(const net::Status& status, const std::string& server);

}  // namespace convoy::launch
