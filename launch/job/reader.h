// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "launch/job/document.h"
#include "launch/job/sections.h"
#include "trainer/job.h"

namespace convoy::launch {

/// Fills what `describe` shows with the values of `document`; keys that it lacks stay as they are.
/// @throws ConfigError for a value of the wrong type or out of range, e.g.
///   job.toml:9: train.batch_size must be at least 1, not 0
void read_fields(const Document& document, const Description& describe);

/// Checks that concern several keys at once, or what this program was built with. Where a --set
/// gives one of train.epochs and train.steps, it takes the other's place.
/// @throws ConfigError.
void check_rules(trainer::Job& job, const Document& document);

}  // namespace convoy::launch
