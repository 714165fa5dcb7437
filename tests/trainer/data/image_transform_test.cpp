// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/image_transform.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "tests/trainer/data/data_files.h"

namespace convoy::trainer::internal {
namespace {

constexpr float kScale = 0.011F;
constexpr float kOffset = -0.8F;

/// One pixel at a time, as Placement's comment says.
std::vector<float> naive(const Plane& plane, const Placement& placement) {
  std::vector<float> out;
  for (std::int64_t y = 0; y < plane.height; ++y) {
    for (std::int64_t x = 0; x < plane.width; ++x) {
      const std::int64_t from_y = y + placement.down;
      const std::int64_t from_x = (placement.mirrored ? plane.width - 1 - x : x) + placement.right;
      const bool inside =
          from_y >= 0 && from_y < plane.height && from_x >= 0 && from_x < plane.width;
      const int byte = inside ? plane.bytes[from_y * plane.width + from_x] : 0;
      out.push_back(static_cast<float>(byte) * kScale + kOffset);
    }
  }
  return out;
}

TEST(TransformPlane, AgreesWithOnePixelAtATime) {
  const std::string noise = test::noise(7 * 5);
  const Plane plane{reinterpret_cast<const std::uint8_t*>(noise.data()), 7, 5};
  for (std::int64_t down = -8; down <= 8; ++down) {
    for (std::int64_t right = -6; right <= 6; ++right) {
      for (const bool mirrored : {false, true}) {
        const Placement placement{down, right, mirrored};
        std::vector<float> out(35, -1.0F);
        transform_plane(plane, placement, kScale, kOffset, out.data());
        ASSERT_EQ(out, naive(plane, placement)) << down << ' ' << right << ' ' << mirrored;
      }
    }
  }
}

TEST(DrawPlacement, ReachesAllPlacesAboutEquallyOften) {
  std::map<std::int64_t, int> down;
  std::map<std::int64_t, int> right;
  int mirrored = 0;
  constexpr int kDraws = 9000;
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    Random random({5, i});
    const Placement placement = draw_placement({.pad_pixels = 4, .flip = true}, random);
    ++down[placement.down];
    ++right[placement.right];
    mirrored += placement.mirrored ? 1 : 0;
  }
  // 1000 expected in each of 9 bins, standard deviation 30; 4500 mirrored, 47.
  for (std::int64_t shift = -4; shift <= 4; ++shift) {
    EXPECT_NEAR(down[shift], 1000, 150);
    EXPECT_NEAR(right[shift], 1000, 150);
  }
  EXPECT_EQ(down.size(), 9U);
  EXPECT_EQ(right.size(), 9U);
  EXPECT_NEAR(mirrored, kDraws / 2, 240);
}

TEST(DrawPlacement, LeavesOutWhatIsSwitchedOff) {
  for (std::uint64_t i = 0; i < 100; ++i) {
    Random random({5, i});
    const Placement placement = draw_placement({}, random);
    EXPECT_EQ(placement.down, 0);
    EXPECT_EQ(placement.right, 0);
    EXPECT_FALSE(placement.mirrored);
  }
}

}  // namespace
}  // namespace convoy::trainer::internal
