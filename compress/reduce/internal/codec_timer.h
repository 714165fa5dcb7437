// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "compress/codec/codec.h"
#include "compress/reduce/executor.h"

namespace convoy::compress::internal {

/// Seconds of CPU that this thread has used.
[[nodiscard]] double thread_seconds();

/// Seconds of `executor` for `encodings` times encoding `values` (of the host) and `decodings`
/// times adding up the payload. @param sizes  says how large payloads become; `codec` is it,
/// placed.
[[nodiscard]] double codec_seconds(Executor& executor, PlacedCodec& codec, const Codec& sizes,
                                   std::span<const float> values, Level level, double encodings,
                                   double decodings);

}  // namespace convoy::compress::internal
