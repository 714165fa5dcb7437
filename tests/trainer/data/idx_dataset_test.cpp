// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/idx_dataset.h"

#include <gtest/gtest.h>

#include "tests/trainer/data/data_files.h"

namespace convoy::trainer::internal {
namespace {

using test::big_endian;
using test::config_error;

constexpr std::size_t kImageBytes = 28 * 28;

std::string image_file(std::uint32_t promised, std::size_t pixel_bytes, std::uint32_t side = 28) {
  return big_endian(0x803) + big_endian(promised) + big_endian(side) + big_endian(side) +
         test::noise(pixel_bytes);
}

std::string label_file(std::uint32_t promised, const std::string& labels) {
  return big_endian(0x801) + big_endian(promised) + labels;
}

/// A folder with a training part of three images, labels 2, 9 and 0.
class IdxDataset : public ::testing::Test {
 protected:
  IdxDataset() {
    write_images(image_file(3, 3 * kImageBytes));
    write_labels(label_file(3, std::string("\2\11\0", 3)));
    config_.path = folder_.path();
  }
  void write_images(const std::string& content) { (void)folder_.file(kImages, content); }
  void write_labels(const std::string& content) { (void)folder_.file(kLabels, content); }
  [[nodiscard]] ImageSet read(std::int64_t limit = 0) const {
    return read_idx_images(config_, Part::kTrain, limit);
  }
  [[nodiscard]] std::string error(std::int64_t limit = 0) const {
    return config_error([&] { (void)read(limit); });
  }

  static constexpr const char* kImages = "train-images-idx3-ubyte";
  static constexpr const char* kLabels = "train-labels-idx1-ubyte";
  test::DataFolder folder_;
  DataConfig config_;
};

TEST_F(IdxDataset, ReadsPixelsAndLabels) {
  const ImageSet images = read();
  ASSERT_EQ(images.size(), 3);
  EXPECT_EQ(images.numel(), 784);
  EXPECT_EQ(images.labels, (std::vector<std::uint8_t>{2, 9, 0}));
  const std::string pixels = test::noise(3 * kImageBytes);
  EXPECT_EQ(images.pixels, std::vector<std::uint8_t>(pixels.begin(), pixels.end()));
}

TEST_F(IdxDataset, LimitTakesTheFirst) {
  const ImageSet images = read(2);
  EXPECT_EQ(images.labels, (std::vector<std::uint8_t>{2, 9}));
  EXPECT_EQ(images.pixels.size(), 2 * kImageBytes);
  EXPECT_EQ(read(100).size(), 3);
}

TEST_F(IdxDataset, SaysWhatIsMissing) {
  std::filesystem::remove(folder_ / kLabels);
  EXPECT_EQ(error(), folder_.path().string() +
                         ": no train-labels-idx1-ubyte or train-labels-idx1-ubyte.gz "
                         "there; apt-get install dataset-fashion-mnist, or set "
                         "data.path");
}

TEST_F(IdxDataset, FindsTruncationEvenWhenOneImageIsAskedFor) {
  write_images(image_file(3, 2 * kImageBytes + 5));
  for (const std::int64_t limit : {0, 1}) {
    EXPECT_EQ(error(limit), folder_ / kImages +
                                ": truncated: header says 3 images of 28x28 "
                                "(2352 bytes), found 1573");
  }
}

TEST_F(IdxDataset, FindsATruncatedGzip) {
  std::filesystem::remove(folder_ / kImages);
  const std::string name = std::string(kImages) + ".gz";
  const std::string path = folder_.gzip_file(name, image_file(3, 3 * kImageBytes));
  EXPECT_EQ(read(1).size(), 1);
  folder_.resize(name, 1500);
  for (const std::int64_t limit : {0, 1}) {
    EXPECT_EQ(error(limit).find(path + ": truncated: header says 3 images of 28x28 (2352 bytes), "
                                       "found "),
              0U)
        << error(limit);
  }
}

TEST_F(IdxDataset, RefusesBytesBeyondTheHeader) {
  write_labels(label_file(3, std::string("\2\11\0\1", 4)));
  EXPECT_EQ(error(), folder_ / kLabels +
                         ": goes on after the 3 labels (3 bytes) that its header "
                         "says");
}

TEST_F(IdxDataset, RefusesForeignFiles) {
  write_images("P6 28 28 255 this is a picture of another kind");
  EXPECT_EQ(error(), folder_ / kImages +
                         ": not the IDX file expected: magic 0x00000803, found "
                         "0x50362032");
  write_images("");
  EXPECT_EQ(error(), folder_ / kImages +
                         ": truncated: an IDX file begins with a magic number "
                         "(4 bytes), found 0");
  write_images(image_file(3, 3 * 32 * 32, 32));
  EXPECT_EQ(error(), folder_ / kImages + ": images of 28x28 expected, header says 32x32");
}

TEST_F(IdxDataset, AHostileHeaderAllocatesNothing) {
  write_images(image_file(0xffffffff, kImageBytes));
  EXPECT_EQ(error(1), folder_ / kImages +
                          ": truncated: header says 4294967295 images of 28x28 "
                          "(3367254359280 bytes), found 784");
  write_images(image_file(1, kImageBytes, 0xffffffff));
  EXPECT_EQ(error(1),
            folder_ / kImages + ": images of 28x28 expected, header says 4294967295x4294967295");
}

TEST_F(IdxDataset, RefusesLabelsThatDoNotFit) {
  write_labels(label_file(3, std::string("\2\12\0", 3)));
  EXPECT_EQ(error(), folder_ / kLabels + ": label 10 of image 1 is not in 0..9");
  write_labels(label_file(2, std::string("\2\1", 2)));
  EXPECT_EQ(error(), folder_ / kLabels + ": 2 labels for the 3 images of " + folder_ / kImages);
}

TEST_F(IdxDataset, RefusesAnEmptySet) {
  write_images(image_file(0, 0));
  write_labels(label_file(0, ""));
  EXPECT_EQ(error(), folder_ / kImages + ": holds no image");
}

}  // namespace
}  // namespace convoy::trainer::internal
