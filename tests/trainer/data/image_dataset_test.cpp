// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/image_dataset.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/errors.h"
#include "tests/trainer/data/data_files.h"

namespace convoy::trainer::internal {
namespace {

using Indices = std::vector<std::int64_t>;

/// Twelve colour images of 6x5.
std::shared_ptr<const ImageSet> make_images() {
  ImageSet images{.channels = 3, .height = 6, .width = 5, .classes = 4};
  images.mean = {0.1F, 0.2F, 0.3F};
  images.deviation = {0.5F, 0.25F, 2.0F};
  const std::string bytes = test::noise(12 * 90);
  images.pixels.assign(bytes.begin(), bytes.end());
  for (std::uint8_t i = 0; i < 12; ++i) images.labels.push_back(i % 4);
  return std::make_shared<const ImageSet>(images);
}

ImageDataset make_dataset(Augmentation augmentation = {}) {
  Indices rows(12);
  std::iota(rows.begin(), rows.end(), 0);
  return {make_images(), rows, augmentation};
}

TEST(ImageDataset, NormalisesEachChannel) {
  const auto images = make_images();
  const Batch batch = make_dataset().get(Indices{7, 2}, 0);
  EXPECT_EQ(batch.samples(), 2);
  EXPECT_EQ(batch.inputs.sizes(), (std::vector<std::int64_t>{2, 3, 6, 5}));
  EXPECT_EQ(batch.targets.dtype(), torch::kInt64);
  EXPECT_EQ(batch.targets[0].item<int>(), 3);
  EXPECT_EQ(batch.targets[1].item<int>(), 2);
  for (int c = 0; c < 3; ++c) {
    for (int p = 0; p < 30; ++p) {
      const float byte = images->pixels[7 * 90 + c * 30 + p];
      EXPECT_NEAR(batch.inputs[0][c][p / 5][p % 5].item<float>(),
                  (byte / 255.0F - images->mean[c]) / images->deviation[c], 1e-5);
    }
  }
}

TEST(ImageDataset, SaysWhatAModelMustKnow) {
  const ImageDataset dataset = make_dataset();
  EXPECT_EQ(dataset.size(), 12);
  EXPECT_EQ(dataset.info().task, Task::kClassify);
  EXPECT_EQ(dataset.info().classes, 4);
  EXPECT_EQ(dataset.info().input_shape, (Indices{3, 6, 5}));
}

TEST(ImageDataset, ServesOnlyItsOwnRows) {
  const ImageDataset part(make_images(), {3, 9}, {});
  EXPECT_EQ(part.size(), 2);
  EXPECT_TRUE(
      torch::equal(part.get(Indices{1}, 0).inputs, make_dataset().get(Indices{9}, 0).inputs));
  EXPECT_THROW((void)part.get(Indices{2}, 0), ContractError);
  EXPECT_THROW((void)part.get(Indices{-1}, 0), ContractError);
}

TEST(ImageDataset, AnEmptyBatchIsWellFormed) {
  const Batch batch = make_dataset().get({}, 0);
  EXPECT_EQ(batch.samples(), 0);
  EXPECT_EQ(batch.inputs.sizes(), (std::vector<std::int64_t>{0, 3, 6, 5}));
}

TEST(ImageDataset, AugmentationDependsOnKeyAndIndexOnly) {
  const ImageDataset dataset = make_dataset({.pad_pixels = 2, .flip = true});
  const Batch whole = dataset.get(Indices{0, 1, 2, 3, 4, 5}, 77);
  const Batch part = dataset.get(Indices{4, 1}, 77);
  EXPECT_TRUE(torch::equal(part.inputs[0], whole.inputs[4]));
  EXPECT_TRUE(torch::equal(part.inputs[1], whole.inputs[1]));
  EXPECT_FALSE(torch::equal(whole.inputs, dataset.get(Indices{0, 1, 2, 3, 4, 5}, 78).inputs));
  EXPECT_TRUE(
      torch::equal(dataset.get(Indices{4}, 0).inputs, make_dataset().get(Indices{4}, 0).inputs));
}

TEST(ImageDataset, PlacesAllChannelsOfAnImageAlike) {
  ImageSet grey{.channels = 3, .height = 4, .width = 4, .classes = 1};
  grey.mean = {0.5F, 0.5F, 0.5F};
  grey.deviation = {1.0F, 1.0F, 1.0F};
  const std::string plane = test::noise(16);
  for (int c = 0; c < 3; ++c) grey.pixels.insert(grey.pixels.end(), plane.begin(), plane.end());
  grey.labels = {0};
  const ImageDataset dataset(std::make_shared<const ImageSet>(grey), {0},
                             {.pad_pixels = 1, .flip = true});
  for (std::uint64_t key = 1; key < 20; ++key) {
    const auto image = dataset.get(Indices{0}, key).inputs[0];
    EXPECT_TRUE(torch::equal(image[0], image[1]) && torch::equal(image[0], image[2]));
  }
}

TEST(ImageDataset, WithoutAugmentationIgnoresTheKey) {
  EXPECT_TRUE(torch::equal(make_dataset().get(Indices{5}, 99).inputs,
                           make_dataset().get(Indices{5}, 0).inputs));
}

}  // namespace
}  // namespace convoy::trainer::internal
