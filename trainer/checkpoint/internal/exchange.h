// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "comm/communicator.h"

namespace convoy::trainer::internal {

/// [ranks] everybody's `text`. Collective. @throws CommError.
[[nodiscard]] std::vector<std::string> gather_texts(comm::Communicator& communicator,
                                                    const std::string& text);

/// Everybody's `bytes` become those of rank 0, whatever their length. Collective.
/// @throws CommError.
void broadcast_bytes(comm::Communicator& communicator, std::vector<std::byte>& bytes);

}  // namespace convoy::trainer::internal
