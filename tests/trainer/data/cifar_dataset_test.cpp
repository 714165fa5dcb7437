// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/cifar_dataset.h"

#include <gtest/gtest.h>

#include "tests/trainer/data/data_files.h"

namespace convoy::trainer::internal {
namespace {

using test::config_error;

constexpr std::size_t kPixelBytes = 3072;
constexpr std::size_t kRecordBytes = 1 + kPixelBytes;  // of CIFAR-10
constexpr std::size_t kRecords = 10'000;               // in each of its files

/// One record with these label bytes; its pixels are noise by `seed`.
std::string record(const std::string& labels, std::uint32_t seed) {
  return labels + test::noise(kPixelBytes, seed);
}

/// Five training files of 10,000 records: the first two of each have labels 0 and 1, 2 and 3, ...;
/// the rest are zeros.
class Cifar10 : public ::testing::Test {
 protected:
  Cifar10() {
    config_.name = "cifar10";
    config_.path = folder_.path();
    for (char i = 0; i < 5; ++i) {
      const std::string first(1, static_cast<char>(2 * i));
      const std::string second(1, static_cast<char>(2 * i + 1));
      write(file(i + 1), record(first, 2 * i) + record(second, 2 * i + 1));
    }
  }
  /// Filled up to 10,000 records.
  void write(const std::string& name, const std::string& content) const {
    (void)folder_.file(name, content);
    folder_.resize(name, kRecords * kRecordBytes);
  }
  static std::string file(int number) { return "data_batch_" + std::to_string(number) + ".bin"; }
  [[nodiscard]] std::string error(std::int64_t limit = 0) const {
    return config_error([&] { (void)read_cifar_images(config_, Part::kTrain, limit); });
  }

  test::DataFolder folder_;
  DataConfig config_;
};

TEST_F(Cifar10, ReadsAllFilesInOrder) {
  const ImageSet images = read_cifar_images(config_, Part::kTrain, 0);
  ASSERT_EQ(images.size(), 50'000);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(images.labels[i / 2 * kRecords + i % 2], i);
  EXPECT_EQ(images.numel(), 3072);
  EXPECT_EQ(images.classes, 10);
  const std::string fourth = test::noise(kPixelBytes, 3);
  EXPECT_TRUE(std::equal(fourth.begin(), fourth.end(),
                         images.pixels.begin() + (kRecords + 1) * kPixelBytes,
                         [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; }));
}

TEST_F(Cifar10, ReadsACompressedTestPart) {
  const std::string rest((kRecords - 1) * kRecordBytes, '\0');
  (void)folder_.gzip_file("test_batch.bin.gz", record("\7", 70) + rest);
  const ImageSet images = read_cifar_images(config_, Part::kTest, 0);
  ASSERT_EQ(images.labels.size(), kRecords);
  EXPECT_EQ(images.labels[0], 7);
}

TEST_F(Cifar10, LimitStopsInTheMiddleOfAFile) {
  const ImageSet images = read_cifar_images(config_, Part::kTrain, kRecords + 2);
  ASSERT_EQ(images.labels.size(), kRecords + 2);
  EXPECT_EQ(images.labels[kRecords], 2);
  EXPECT_EQ(images.labels[kRecords + 1], 3);
}

TEST_F(Cifar10, FindsTheFolderThatTheArchiveUnpacksTo) {
  const test::DataFolder outer;
  std::filesystem::create_directory_symlink(folder_.path(), outer / "cifar-10-batches-bin");
  config_.path = outer.path();
  EXPECT_EQ(read_cifar_images(config_, Part::kTrain, 10).size(), 10);
}

TEST_F(Cifar10, SaysWhatIsMissing) {
  std::filesystem::remove(folder_ / file(5));
  EXPECT_EQ(error(1), folder_.path().string() +
                          ": no data_batch_5.bin or data_batch_5.bin.gz there; set "
                          "data.path to the binary version of CIFAR-10");
}

TEST_F(Cifar10, FindsTruncationEvenWhenOneImageIsAskedFor) {
  folder_.resize(file(1), 5000);
  for (const std::int64_t limit : {0, 1}) {
    EXPECT_EQ(error(limit), folder_ / file(1) +
                                ": truncated or not CIFAR-10: 5000 bytes are not "
                                "records of 3073 bytes");
  }
}

TEST_F(Cifar10, FindsACutBetweenTwoRecords) {
  folder_.resize(file(1), (kRecords - 1) * kRecordBytes);
  for (const std::int64_t limit : {0, 1}) {
    EXPECT_EQ(error(limit),
              folder_ / file(1) + ": truncated or not CIFAR-10: 9999 records, 10000 are expected");
  }
  folder_.resize(file(1), (kRecords + 1) * kRecordBytes);
  EXPECT_EQ(error(1),
            folder_ / file(1) + ": truncated or not CIFAR-10: 10001 records, 10000 are expected");
}

TEST_F(Cifar10, RefusesAnEmptyFileAndABadLabel) {
  (void)folder_.file(file(2), "");
  EXPECT_EQ(error(), folder_ / file(2) +
                         ": truncated or not CIFAR-10: 0 bytes are not records of "
                         "3073 bytes");
  write(file(2), record("\1", 1) + record("\12", 1));
  EXPECT_EQ(error(), folder_ / file(2) + ": label 10 of record 1 is not in 0..9");
}

constexpr std::size_t kTrainBytes = 50'000 * (2 + kPixelBytes);

TEST(Cifar100, LearnsTheFineLabels) {
  const test::DataFolder folder;
  (void)folder.file("train.bin", record("\5\143", 1) + record("\23\1", 2));
  folder.resize("train.bin", kTrainBytes);
  const DataConfig config{.name = "cifar100", .path = folder.path()};
  const ImageSet images = read_cifar_images(config, Part::kTrain, 2);
  EXPECT_EQ(images.labels, (std::vector<std::uint8_t>{99, 1}));
  EXPECT_EQ(images.classes, 100);
  EXPECT_EQ(images.pixels[0], static_cast<std::uint8_t>(test::noise(1, 1)[0]));
}

TEST(Cifar100, RefusesALabelOutOfRange) {
  const test::DataFolder folder;
  const DataConfig config{.name = "cifar100", .path = folder.path()};
  const auto error = [&] {
    folder.resize("train.bin", kTrainBytes);
    return config_error([&] { (void)read_cifar_images(config, Part::kTrain, 1); });
  };
  (void)folder.file("train.bin", record("\24\1", 1));
  EXPECT_EQ(error(), folder / "train.bin" + ": label 20 of record 0 is not in 0..19");
  (void)folder.file("train.bin", record("\1\144", 1));
  EXPECT_EQ(error(), folder / "train.bin" + ": label 100 of record 0 is not in 0..99");
}

}  // namespace
}  // namespace convoy::trainer::internal
