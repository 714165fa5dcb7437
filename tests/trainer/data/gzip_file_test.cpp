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
  const test::TemporaryFolder folder;
  const std::string content = test::noise(kLong);
  for (const auto& path : {folder.write("a", content), folder.write_gzip("b.gz", content),
                           folder.write_gzip("c.dz", content), folder.write_gzip("d", content)}) {
    GzipFile file(path);
    EXPECT_EQ(file.claimed_bytes(), kLong) << path;
    EXPECT_EQ(file.read_up_to(5), std::vector<std::uint8_t>(content.begin(), content.begin() + 5));
    EXPECT_TRUE(read_all(file) == content.substr(5)) << path;
    EXPECT_NO_THROW(file.require_not_cut_off());
  }
}

TEST(GzipFile, SaysWhatATruncatedFileHolds) {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("a", test::noise(1000));
  GzipFile file(path);
  EXPECT_EQ(config_error([&] { (void)file.read_exactly(1001, "header says 7 things"); }),
            path + ": truncated: header says 7 things (1001 bytes), found 1000");
}

TEST(GzipFile, NoticesACutOffStream) {
  const test::TemporaryFolder folder;
  const std::string path = folder.write_gzip("a.gz", test::noise(kLong));
  folder.truncate("a.gz", 1U << 20U);
  GzipFile file(path);
  const std::size_t found = read_all(file).size();
  EXPECT_GT(found, 0U);
  EXPECT_LT(found, kLong);
  EXPECT_EQ(
      config_error([&] { file.require_not_cut_off(); }),
      path + ": truncated: the gzip data break off after " + std::to_string(found) + " bytes");
}

TEST(GzipFile, NoticesDamage) {
  const test::TemporaryFolder folder;
  const std::string path = folder.write_gzip("a.gz", test::noise(kLong));
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(1 << 20) << "damage!";
  const std::string message = config_error([&] {
    GzipFile file(path);
    (void)read_all(file);
  });
  EXPECT_EQ(message.find(path + ": corrupt gzip data: "), 0U) << message;
}

TEST(GzipFile, RefusesWhatIsNoFileOrNoGzip) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(config_error([&] { GzipFile file(folder / "none"); }),
            folder / "none" + ": no such file");
  EXPECT_EQ(config_error([&] { GzipFile file(folder.path()); }), folder.path() + ": not a file");
  EXPECT_EQ(config_error([&] { GzipFile file(folder.write("a.gz", "plain text")); }),
            folder / "a.gz" + ": not gzip data, though its name says so");
}

TEST(GzipFile, PromisesInAHeaderCostNoMemory) {
  const test::TemporaryFolder folder;
  GzipFile file(folder.write("a", "short"));
  EXPECT_THROW((void)file.read_exactly(~std::size_t{0}, "header says a lot"), ConfigError);
}

TEST(FindDataFile, TakesThePlainFileOrTheCompressedOne) {
  const test::TemporaryFolder folder;
  (void)folder.write("b.gz", "");
  EXPECT_EQ(find_data_file(folder.path(), "b", ""), folder / "b.gz");
  (void)folder.write("b", "");
  EXPECT_EQ(find_data_file(folder.path(), "b", ""), folder / "b");
  EXPECT_EQ(config_error([&] { (void)find_data_file(folder.path(), "c", "do this"); }),
            folder.path() + ": no c or c.gz there; do this");
}

}  // namespace
}  // namespace convoy::trainer::internal
