// SPDX-License-Identifier: Apache-2.0
// The SIMD kernels compute what the functions in grid_float.h say, which CUDA kernels call.
#include "compress/codec/internal/grid_float.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "compress/codec/internal/quantize_kernels.h"
#include "tests/compress/codec/codec_kit.h"
#include "tests/compress/codec/simd_targets.h"

namespace convoy::compress::internal {
namespace {

constexpr std::size_t kCount = 1024;
constexpr GroupKey kKey{12345U, 678U};

class FloatGrid : public testing::TestWithParam<std::int64_t> {
 protected:
  /// A grid of `bits` for the values.
  [[nodiscard]] Grid grid(int bits) const {
    return make_grid(quantize_kernels().find_range(values.data(), kCount), limit_of(bits));
  }
  const std::vector<float> values = normal_values(kCount, 3);
};

TEST_P(FloatGrid, CodesAreThoseOfTheKernels) {
  const OnTarget on_target(GetParam());
  std::vector<std::uint8_t> nearest(kCount);
  std::vector<std::uint8_t> stochastic(kCount);
  for (int bits = 1; bits <= 8; ++bits) {
    const Grid grid = this->grid(bits);
    const float inverse = inverse_step(grid.step);
    quantize_kernels().nearest_codes(values.data(), kCount, grid, nearest.data());
    quantize_kernels().stochastic_codes(values.data(), kCount, grid, kKey, stochastic.data());
    for (std::size_t i = 0; i < kCount; ++i) {
      const float place = float_place(values[i], grid, inverse);
      ASSERT_EQ(nearest[i], nearest_code(place));
      const auto random = random_at(kKey, static_cast<std::uint32_t>(i));
      ASSERT_EQ(stochastic[i], stochastic_code(fixed_place(place, grid.limit), random));
    }
  }
}

TEST_P(FloatGrid, ValuesAreThoseOfTheKernels) {
  const OnTarget on_target(GetParam());
  std::vector<std::uint8_t> codes(kCount);
  std::vector<float> decoded(kCount);
  const Grid grid = this->grid(8);
  quantize_kernels().nearest_codes(values.data(), kCount, grid, codes.data());
  quantize_kernels().values_of(codes.data(), kCount, grid, decoded.data());
  for (std::size_t i = 0; i < kCount; ++i) {
    const float expected = float_value(static_cast<float>(codes[i]), grid);
    ASSERT_EQ(std::memcmp(&decoded[i], &expected, sizeof expected), 0);
  }
}

TEST_P(FloatGrid, SquaresAreThoseOfTheKernels) {
  const OnTarget on_target(GetParam());
  for (const int bits : {1, 3, 8}) {
    const Grid grid = this->grid(bits);
    const float inverse = inverse_step(grid.step);
    double nearest[16] = {};
    double stochastic[16] = {};
    for (std::size_t i = 0; i < kCount; ++i) {
      nearest[i % 16] += nearest_square(values[i], grid, inverse);
      const StochasticSquares squares = stochastic_squares(values[i], grid, inverse);
      stochastic[i % 16] += squares.down;
      stochastic[i % 16] += squares.up;
    }
    EXPECT_EQ(quantize_kernels().nearest_error(values.data(), kCount, grid),
              std::accumulate(nearest, nearest + 16, 0.0));
    EXPECT_EQ(quantize_kernels().stochastic_error(values.data(), kCount, grid),
              std::accumulate(stochastic, stochastic + 16, 0.0));
  }
}

INSTANTIATE_TEST_SUITE_P(Simd, FloatGrid, testing::ValuesIn(simd_targets()), [](const auto& param) {
  std::string name = hwy::TargetName(param.param);
  return name;
});

}  // namespace
}  // namespace convoy::compress::internal
