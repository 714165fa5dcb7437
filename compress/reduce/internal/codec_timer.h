// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "compress/codec/codec.h"

namespace convoy::compress::internal {

/// Seconds of CPU that this thread has used.
[[nodiscard]] double thread_seconds();

/// Seconds of this thread for `encodings` times encoding `values` and `decodings` times adding up
/// the payload. @param level  one of the codec's.
[[nodiscard]] double codec_seconds(const Codec& codec, std::span<const float> values, Level level,
                                   double encodings, double decodings);

}  // namespace convoy::compress::internal
