// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comm/communicator.h"
#include "trainer/job.h"

namespace convoy::launch {

/// Every rank reads its host's job file. Checks that all mean the same job; only paths may differ.
/// Collective. @throws ConfigError on all ranks, with the first line that differs.
void require_same_job(comm::Communicator& communicator, const trainer::Job& job);

}  // namespace convoy::launch
