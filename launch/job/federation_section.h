// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "launch/job/sections.h"

namespace convoy::launch {

/// Shows [federation] and its tables to `visitor`.
void describe_federation(FieldVisitor& visitor, trainer::FederationConfig& federation);

}  // namespace convoy::launch
