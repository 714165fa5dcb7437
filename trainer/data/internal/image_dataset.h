// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/data/internal/image_set.h"
#include "trainer/data/internal/image_transform.h"

namespace convoy::trainer::internal {

/// Some images of a set, normalised and, if asked for, augmented while a batch is put together.
class ImageDataset : public Dataset {
 public:
  /// `rows`: which images of `images`, in this order.
  ImageDataset(std::shared_ptr<const ImageSet> images, std::vector<std::int64_t> rows,
               Augmentation augmentation);

  [[nodiscard]] std::int64_t size() const override {
    return static_cast<std::int64_t>(rows_.size());
  }
  [[nodiscard]] const DataInfo& info() const override { return info_; }
  [[nodiscard]] Batch get(std::span<const std::int64_t> indices,
                          std::uint64_t augment_key) const override;

 private:
  void write_image(std::int64_t row, const Placement& placement, float* out) const;

  std::shared_ptr<const ImageSet> images_;  // shared by the parts that are split from it
  std::vector<std::int64_t> rows_;
  Augmentation augmentation_;
  // value = byte * scale + offset, by channel
  std::array<float, 3> scale_{};
  std::array<float, 3> offset_{};
  DataInfo info_;
};

/// Reads one part of a format; `limit`: the first so many images, 0: all.
using ImageReader = ImageSet (*)(const DataConfig& config, Part part, std::int64_t limit);

/// The training part, and as test part the format's own or a share of the training part.
[[nodiscard]] Datasets load_images(ImageReader reader, const DataConfig& config,
                                   std::uint64_t seed);

/// Reads the first image of each part that load_images() would read.
void check_images(ImageReader reader, const DataConfig& config);

}  // namespace convoy::trainer::internal
