// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

/// Signals of one rank. A signal reaches a process, not an object, so this is the one place with
/// state of the whole process.
namespace convoy::launch::signals {

/// Installs the handlers; first thing in main(), before MPI starts.
///   SIGUSR1  asks for a stop with a checkpoint (convoy launch sends it)
///   SIGTERM  writes one line that names the rank and ends the process with 143
/// Both are async-signal-safe.
void install(int rank);

/// From now on the first SIGINT asks for a stop with a checkpoint; a second one ends the process.
void stop_on_interrupt();

/// From now on SIGTERM asks for a stop too, and a second one ends the process.
void stop_on_terminate();

/// True after the signal that asks for a stop.
[[nodiscard]] const std::atomic<bool>& stop();

}  // namespace convoy::launch::signals
