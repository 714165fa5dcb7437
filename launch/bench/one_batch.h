// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "trainer/data/dataset.h"

namespace convoy::launch {

/// A data set whose every batch is the same noise, in memory: loading it takes no time.
class OneBatch final : public trainer::Dataset {
 public:
  /// What `model`, one of [model], trains on: 3x32x32 images of 10 classes; for "transformer" 128
  /// bytes of text. @param samples  of a batch. @param size  what size() says.
  OneBatch(const std::string& model, std::int64_t samples, std::int64_t size, std::uint64_t seed);

  [[nodiscard]] std::int64_t size() const override { return size_; }
  [[nodiscard]] const trainer::DataInfo& info() const override { return info_; }
  /// The batch, whatever the indices; at most as many samples as they are.
  [[nodiscard]] trainer::Batch get(std::span<const std::int64_t> indices,
                                   std::uint64_t augment_key) const override;

 private:
  std::int64_t size_;
  trainer::DataInfo info_;
  trainer::Batch batch_;
};

}  // namespace convoy::launch
