// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "launch/job/document.h"

namespace convoy::launch {

/// Checks that every section and key of `document` is one that a job has.
/// @throws ConfigError for the first that is not, with the nearest known one:
///   job.toml:12: unknown key "batch_sise" in [train]; did you mean "batch_size"?
void check_known(const Document& document);

}  // namespace convoy::launch
