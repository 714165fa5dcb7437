// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/internal/group_reader.h"

#include <algorithm>

#include "compress/codec/internal/elementwise.h"
#include "compress/codec/internal/quantize_kernels.h"

namespace convoy::compress::internal {

GroupReader::GroupReader(const Values& values, std::size_t group)
    : values_(values),
      numel_(static_cast<std::size_t>(numel(values))),
      group_(group),
      groups_((numel_ + group - 1) / group),
      staging_(std::min(group, (numel_ + kBlock - 1) / kBlock * kBlock)) {}

GroupView GroupReader::read(std::size_t index) {
  const std::size_t from = index * group_;
  const std::size_t count = std::min(group_, numel_ - from);
  const std::size_t padded = (count + kBlock - 1) / kBlock * kBlock;
  const auto* floats = std::get_if<std::span<const float>>(&values_);
  if (floats != nullptr && count == padded) return {&(*floats)[from], count, padded};
  std::visit(
      [&](auto values) {
        std::transform(&values[from], &values[from] + count, staging_.data(),
                       [](auto value) { return as_float(value); });
      },
      values_);
  const GroupView view{staging_.data(), count, padded};
  set_padding(view, staging_[count - 1]);
  return view;
}

void GroupReader::set_padding(const GroupView& view, float value) {
  if (view.count == view.padded) return;
  std::fill(&staging_[view.count], staging_.data() + view.padded, value);
}

}  // namespace convoy::compress::internal
