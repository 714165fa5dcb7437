// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace convoy::launch {

/// Lets this process open as many files and sockets as it may: raises the soft limit to the hard
/// one. Shells and systemd begin with 1024, which a server with as many connections runs out of.
/// @return the limit from now on, whatever could be done.
std::uint64_t raise_descriptor_limit();

}  // namespace convoy::launch
