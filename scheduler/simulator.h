// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "scheduler/event_log.h"
#include "scheduler/scenario.h"
#include "scheduler/summary.h"

namespace convoy::scheduler {

/// Runs a scenario in virtual time: the same decisions as a live run, without waiting. The same
/// scenario gives the same lines to the bit. O((arrivals + assignments) log clients).
/// @param sink  gets one JSON line for every event; empty for none. The last one is the flush.
/// @param before_flush  gets the summary before the last line is written.
/// @throws ConfigError as make_policy() and simulate_round().
Summary simulate(const Scenario& scenario, EventLog::Sink sink = {},
                 const std::function<void(const Summary&)>& before_flush = {});

}  // namespace convoy::scheduler
