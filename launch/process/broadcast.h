// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "comm/communicator.h"

namespace convoy::launch {

/// Everybody gets the text of rank `root`. Collective.
[[nodiscard]] std::string broadcast_text(comm::Communicator& communicator, const std::string& text,
                                         int root);

}  // namespace convoy::launch
