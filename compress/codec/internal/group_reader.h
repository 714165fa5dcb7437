// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "compress/codec/codec.h"

namespace convoy::compress::internal {

/// The values of one group as float32: `count` of them, followed by copies of the last one up to a
/// whole number of blocks.
struct GroupView {
  const float* values = nullptr;
  std::size_t count = 0;
  std::size_t padded = 0;
};

/// Hands out the values of a layer group by group, converting what is not float32.
class GroupReader {
 public:
  /// @param group  values in a group, a multiple of the kernels' block.
  GroupReader(const Values& values, std::size_t group);
  [[nodiscard]] std::size_t groups() const { return groups_; }
  /// Valid until the next call.
  [[nodiscard]] GroupView read(std::size_t index);
  /// Replaces the padding of the group that was read last.
  void set_padding(const GroupView& view, float value);

 private:
  const Values& values_;
  std::size_t numel_;
  std::size_t group_;
  std::size_t groups_;
  std::vector<float> staging_;
};

}  // namespace convoy::compress::internal
