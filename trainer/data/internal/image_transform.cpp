// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/image_transform.h"

#include <algorithm>

namespace convoy::trainer::internal {
namespace {

std::int64_t draw_shift(std::int64_t furthest, Random& random) {
  return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(2 * furthest + 1))) -
         furthest;
}

void transform(const std::uint8_t* __restrict in, std::int64_t count, float scale, float offset,
               float* __restrict out) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(in[i]) * scale + offset;
}

}  // namespace

Placement draw_placement(const Augmentation& augmentation, Random& random) {
  Placement placement;
  placement.down = draw_shift(augmentation.pad_pixels, random);
  placement.right = draw_shift(augmentation.pad_pixels, random);
  placement.mirrored = augmentation.flip && random.below(2) == 1;
  return placement;
}

void transform_plane(const Plane& plane, const Placement& placement, float scale, float offset,
                     float* out) {
  const std::int64_t width = plane.width;
  if (placement.down == 0 && placement.right == 0 && !placement.mirrored) {
    transform(plane.bytes, plane.height * width, scale, offset, out);
    return;
  }
  // Columns [first, last) of a row show the input; a zero byte becomes `offset`.
  const std::int64_t first = std::clamp<std::int64_t>(-placement.right, 0, width);
  const std::int64_t last = std::clamp<std::int64_t>(width - placement.right, first, width);
  for (std::int64_t y = 0; y < plane.height; ++y, out += width) {
    const std::int64_t source = y + placement.down;
    if (source < 0 || source >= plane.height || first == last) {
      std::fill_n(out, width, offset);
      continue;
    }
    std::fill(out, out + first, offset);
    transform(plane.bytes + source * width + first + placement.right, last - first, scale, offset,
              out + first);
    std::fill(out + last, out + width, offset);
    if (placement.mirrored) std::reverse(out, out + width);
  }
}

}  // namespace convoy::trainer::internal
