// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compress/reduce/executor.h"

namespace convoy::compress {

/// Two that work on the host: each call at once, in the thread that calls.
[[nodiscard]] Executors host_executors();

}  // namespace convoy::compress
