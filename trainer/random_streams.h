// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace convoy::trainer {

/// First word after the seed in every key of a random stream, so that no two purposes share one.
/// (The sampler's and the models' own streams are named where they are drawn.)
inline constexpr std::uint64_t kAugmentStream = 0x6175676d656e74;  // "augment"
inline constexpr std::uint64_t kDropoutStream = 0x64726f706f7574;  // "dropout"

}  // namespace convoy::trainer
