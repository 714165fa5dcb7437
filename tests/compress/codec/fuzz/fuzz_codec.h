// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "compress/codec/codec.h"

namespace convoy::compress {

/// One input of libFuzzer against one codec. The first 8 bytes choose what is done with the rest:
/// decode it as it is; encode it as values and decode that, which must work; or damage four bytes
/// of such a payload before decoding. Nothing but a PayloadError may come out of decoding.
void fuzz_codec(const Codec& codec, std::span<const Level> levels,
                std::span<const std::uint8_t> input);

}  // namespace convoy::compress
