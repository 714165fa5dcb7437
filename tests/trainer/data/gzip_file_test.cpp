// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/gzip_file.h"

#include <gtest/gtest.h>

#include "tests/trainer/data/data_files.h"

namespace convoy::trainer::internal {
namespace {

using test::config_error;

constexpr std::size_t kLong = (3U << 20U) + 17;

std::string read_all(GzipFile& file) {
  const auto bytes = file.read_up_to(~std::size_t{0});
  return {bytes.begin(), bytes.end()};
}

TEST(GzipFile, ReadsPlainAndCompressedAlike) {
  const test::DataFolder folder;
  const std::string content = test::noise(kLong);
  for (const auto& path : {folder.file("a", content), folder.gzip_file("b.gz", content),
                           folder.gzip_file("c.dz", content), folder.gzip_file("d", content)}) {
    GzipFile file(path);
    EXPECT_EQ(file.claimed_bytes(), kLong) << path;
    EXPECT_EQ(file.read_up_to(5), std::vector<std::uint8_t>(content.begin(), content.begin() + 5));
    EXPECT_TRUE(read_all(file) == content.substr(5)) << path;
    EXPECT_NO_THROW(file.require_not_cut_off());
  }
}

TEST(GzipFile, SaysWhatATruncatedFileHolds) {
  const test::DataFolder folder;
  const std::string path = folder.file("a", test::noise(1000));
  GzipFile file(path);
  EXPECT_EQ(config_error([&] { (void)file.read_exactly(1001, "header says 7 things"); }),
            path + ": truncated: header says 7 things (1001 bytes), found 1000");
}

TEST(GzipFile, NoticesACutOffStream) {
  const test::DataFolder folder;
  const std::string path = folder.gzip_file("a.gz", test::noise(kLong));
  folder.resize("a.gz", 1U << 20U);
  GzipFile file(path);
  const std::size_t found = read_all(file).size();
  EXPECT_GT(found, 0U);
  EXPECT_LT(found, kLong);
  EXPECT_EQ(
      config_error([&] { file.require_not_cut_off(); }),
      path + ": truncated: the gzip data break off after " + std::to_string(found) + " bytes");
}

TEST(GzipFile, NoticesDamage) {
  const test::DataFolder folder;
  const std::string path = folder.gzip_file("a.gz", test::noise(kLong));
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(1 << 20) << "damage!";
  const std::string message = config_error([&] {
    GzipFile file(path);
    (void)read_all(file);
  });
  EXPECT_EQ(message.find(path + ": corrupt gzip data: "), 0U) << message;
}

TEST(GzipFile, RefusesWhatIsNoFileOrNoGzip) {
  const test::DataFolder folder;
  EXPECT_EQ(config_error([&] { GzipFile file(folder / "none"); }),
            folder / "none" + ": no such file");
  EXPECT_EQ(config_error([&] { GzipFile file(folder.path()); }),
            folder.path().string() + ": not a file");
  EXPECT_EQ(config_error([&] { GzipFile file(folder.file("a.gz", "plain text")); }),
            folder / "a.gz" + ": not gzip data, though its name says so");
}

TEST(GzipFile, PromisesInAHeaderCostNoMemory) {
  const test::DataFolder folder;
  GzipFile file(folder.file("a", "short"));
  EXPECT_THROW((void)file.read_exactly(~std::size_t{0}, "header says a lot"), ConfigError);
}

TEST(FindDataFile, TakesThePlainFileOrTheCompressedOne) {
  const test::DataFolder folder;
  (void)folder.file("b.gz", "");
  EXPECT_EQ(find_data_file(folder.path(), "b", ""), folder / "b.gz");
  (void)folder.file("b", "");
  EXPECT_EQ(find_data_file(folder.path(), "b", ""), folder / "b");
  EXPECT_EQ(config_error([&] { (void)find_data_file(folder.path(), "c", "do this"); }),
            folder.path().string() + ": no c or c.gz there; do this");
}

}  // namespace
}  // namespace convoy::trainer::internal
