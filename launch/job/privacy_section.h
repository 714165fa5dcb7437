// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "launch/job/sections.h"

namespace convoy::launch {

/// Shows [privacy] to `visitor`.
void describe_privacy(FieldVisitor& visitor, trainer::PrivacyConfig& privacy);

}  // namespace convoy::launch
