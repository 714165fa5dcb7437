// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/image_dataset.h"

#include <numeric>
#include <utility>

#include "base/random.h"
#include "trainer/data/internal/check_indices.h"
#include "trainer/data/internal/split.h"

namespace convoy::trainer::internal {
namespace {

constexpr float kLargestByte = 255.0F;

std::vector<std::int64_t> all_rows(const ImageSet& images) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(images.size()));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return rows;
}

std::shared_ptr<const Dataset> make_part(std::shared_ptr<const ImageSet> images,
                                         std::vector<std::int64_t> rows,
                                         Augmentation augmentation) {
  return std::make_shared<const ImageDataset>(std::move(images), std::move(rows), augmentation);
}

}  // namespace

ImageDataset::ImageDataset(std::shared_ptr<const ImageSet> images, std::vector<std::int64_t> rows,
                           Augmentation augmentation)
    : images_(std::move(images)), rows_(std::move(rows)), augmentation_(augmentation) {
  for (std::size_t c = 0; c < static_cast<std::size_t>(images_->channels); ++c) {
    scale_[c] = 1.0F / (kLargestByte * images_->deviation[c]);
    offset_[c] = -images_->mean[c] / images_->deviation[c];
  }
  info_.task = Task::kClassify;
  info_.input_shape = {images_->channels, images_->height, images_->width};
  info_.classes = images_->classes;
}

Batch ImageDataset::get(std::span<const std::int64_t> indices, std::uint64_t augment_key) const {
  check_indices(indices, size());
  const auto count = static_cast<std::int64_t>(indices.size());
  Batch batch{
      torch::empty({count, images_->channels, images_->height, images_->width}, torch::kFloat32),
      torch::empty({count}, torch::kInt64)};
  auto* inputs = batch.inputs.data_ptr<float>();
  auto* targets = batch.targets.data_ptr<std::int64_t>();
  for (const std::int64_t index : indices) {
    Placement placement;
    if (augment_key != 0) {
      Random random({augment_key, static_cast<std::uint64_t>(index)});
      placement = draw_placement(augmentation_, random);
    }
    const std::int64_t row = rows_[static_cast<std::size_t>(index)];
    write_image(row, placement, inputs);
    inputs += images_->numel();
    *targets++ = images_->labels[static_cast<std::size_t>(row)];
  }
  return batch;
}

void ImageDataset::write_image(std::int64_t row, const Placement& placement, float* out) const {
  const std::int64_t plane_numel = images_->height * images_->width;
  const std::uint8_t* bytes = images_->pixels.data() + row * images_->numel();
  for (std::size_t c = 0; c < static_cast<std::size_t>(images_->channels); ++c) {
    transform_plane({bytes, images_->height, images_->width}, placement, scale_[c], offset_[c],
                    out);
    bytes += plane_numel;
    out += plane_numel;
  }
}

Datasets load_images(ImageReader reader, const DataConfig& config, std::uint64_t seed) {
  Augmentation augmentation;
  if (config.augment) augmentation = {.pad_pixels = config.pad_pixels, .flip = config.flip};
  const auto images = std::make_shared<const ImageSet>(reader(config, Part::kTrain, config.limit));
  if (config.validation > 0.0) {
    Split split = split_at_random(images->size(), config.validation, seed, config.name);
    return {make_part(images, std::move(split.train), augmentation),
            make_part(images, std::move(split.test), {})};
  }
  const auto test = std::make_shared<const ImageSet>(reader(config, Part::kTest, 0));
  return {make_part(images, all_rows(*images), augmentation), make_part(test, all_rows(*test), {})};
}

void check_images(ImageReader reader, const DataConfig& config) {
  (void)reader(config, Part::kTrain, 1);
  if (config.validation == 0.0) (void)reader(config, Part::kTest, 1);
}

}  // namespace convoy::trainer::internal
