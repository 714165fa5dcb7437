// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "comm/communicator.h"

namespace convoy::comm::local {

/// A world of `ranks` communicators inside this process, one for each thread that will act as a
/// rank. Destroying one while others wait for it gives them a CommError that names it.
/// @throws ContractError if ranks < 1.
[[nodiscard]] std::vector<std::unique_ptr<Communicator>> make_world(
    int ranks, const CommunicatorOptions& options = {});

/// Runs `body` once per rank, each in a thread of its own, and returns when all are done. If bodies
/// throw, the other ranks' waits fail at once, and the exception of the rank that failed first is
/// thrown here.
void run(int ranks, const std::function<void(Communicator&)>& body,
         const CommunicatorOptions& options = {});

}  // namespace convoy::comm::local
