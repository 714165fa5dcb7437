// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "launch/job/document.h"
#include "trainer/job.h"

namespace convoy::launch {

/// The job that `document` describes; keys that it lacks keep their defaults.
/// @throws ConfigError for a value of the wrong type or out of range, e.g.
///   job.toml:9: train.batch_size must be at least 1, not 0
[[nodiscard]] trainer::Job read_fields(const Document& document);

/// Checks that concern several keys at once, or what this program was built with. Where a --set
/// gives one of train.epochs and train.steps, it takes the other's place.
/// @throws ConfigError.
void check_rules(trainer::Job& job, const Document& document);

}  // namespace convoy::launch
