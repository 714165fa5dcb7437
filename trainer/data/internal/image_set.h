// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace convoy::trainer::internal {

enum class Part : std::uint8_t { kTrain, kTest };

/// Images as they lie in their files, one byte a value, with one label each.
struct ImageSet {
  std::int64_t channels = 1;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t classes = 0;
  // Of pixel / 255 over the training part, by channel.
  std::array<float, 3> mean{};
  std::array<float, 3> deviation{};
  std::vector<std::uint8_t> pixels;  ///< [N, channels, height, width]
  std::vector<std::uint8_t> labels;  ///< [N], each below `classes`

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
  [[nodiscard]] std::int64_t numel() const { return channels * height * width; }
};

}  // namespace convoy::trainer::internal
