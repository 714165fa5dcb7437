// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/random.h"

namespace convoy::trainer::internal {

/// How images are varied in training.
struct Augmentation {
  std::int64_t pad_pixels = 0;  ///< furthest shift in each direction
  bool flip = false;            ///< mirror half of them
};

/// Where one image lands: output (y, x) shows input (y + down, x' + right), with x' = x, or
/// width - 1 - x if mirrored; zero bytes where the input ends.
struct Placement {
  std::int64_t down = 0;
  std::int64_t right = 0;
  bool mirrored = false;
};

/// Shifts uniform in [-pad_pixels, pad_pixels], both directions independent; mirrored with
/// probability 1/2 if `flip`.
[[nodiscard]] Placement draw_placement(const Augmentation& augmentation, Random& random);

/// One channel of one image.
struct Plane {
  const std::uint8_t* bytes;
  std::int64_t height;
  std::int64_t width;
};

/// out = byte * scale + offset over `plane` as placed; `out` has height * width floats. One pass.
void transform_plane(const Plane& plane, const Placement& placement, float scale, float offset,
                     float* out);

}  // namespace convoy::trainer::internal
