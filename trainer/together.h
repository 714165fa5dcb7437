// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "comm/communicator.h"

namespace convoy::trainer {

/// Runs `local_work` on every rank; if it throws anywhere, every rank throws, so that nobody waits
/// for a rank that has given up: the failing rank its own exception, the others one of the same
/// kind (ConfigError or std::runtime_error) that names the first failing rank and its message.
/// Collective.
void together(comm::Communicator& communicator, const std::function<void()>& local_work);

}  // namespace convoy::trainer
