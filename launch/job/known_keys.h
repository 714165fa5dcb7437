// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "launch/job/document.h"
#include "launch/job/sections.h"

namespace convoy::launch {

/// Checks that every section and key of `document` is one that `describe` shows.
/// @throws ConfigError for the first that is not, with the nearest known one:
///   job.toml:12: unknown key "batch_sise" in [train]; did you mean "batch_size"?
void check_known(const Document& document, const Description& describe);

}  // namespace convoy::launch
