// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "trainer/federated/federation.h"

namespace convoy::launch {

/// What the sites have spent, as a line of a run's summary; empty without [privacy].
[[nodiscard]] std::string privacy_line(const trainer::FederatedSummary& summary);

}  // namespace convoy::launch
