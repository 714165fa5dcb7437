// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "launch/job/sections.h"

namespace convoy::launch {

/// [sites].
void describe_sites(FieldVisitor& visitor, trainer::SitesConfig& sites);

}  // namespace convoy::launch
