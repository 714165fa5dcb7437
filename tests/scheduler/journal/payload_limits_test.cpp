// SPDX-License-Identifier: Apache-2.0
// What a site may have in a payload store, and what its uploads may be called.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <limits>

#include "base/errors.h"
#include "scheduler/journal/storage_error.h"
#include "tests/scheduler/journal/payload_store_kit.h"

namespace convoy::tests {
namespace {

using namespace scheduler::journal;
namespace fs = std::filesystem;

using PayloadLimitsTest = PayloadStoreTest;

TEST_F(PayloadLimitsTest, LimitsWhatASiteMayHave) {
  PayloadStore store(spool_, kSmall);
  EXPECT_EQ(refusal_of([&] {
              (void)store.begin({"a", "u", 100'001, {}});
            }),
            "update u of a: 100001 bytes, and 100000 are allowed");
  {
    const Upload other = store.begin({"a", "u0", 90'000, {}});
    EXPECT_EQ(refusal_of([&] {
                (void)store.begin({"a", "u1", 60'001, {}});
              }),
              "update u1 of a: 60001 bytes on top of 90000, and a site may have 150000");
    EXPECT_EQ(refusal_of([&] { (void)store.begin({"b", "u1", 90'000, {}}); }), "");
  }
  // What the site has left unfinished makes way; what comes on another connection does not.
  { Upload left = store.begin({"a", "u2", 50'000, {}}); }
  const Upload other = store.begin({"a", "u3", 100'000, {}});
  EXPECT_EQ(store.bytes_of("a"), 150'000U);
  EXPECT_EQ(refusal_of([&] { (void)store.begin({"a", "u4", 50'000, {}}); }), "");
  EXPECT_NE(refusal_of([&] { (void)store.begin({"a", "u5", 50'001, {}}); }), "");
}

TEST_F(PayloadLimitsTest, FinishedUploadsDoNotCount) {
  PayloadStore store(spool_, kSmall);
  for (int i = 0; i < 5; ++i) {
    upload_all(store, "a", "u" + std::to_string(i), content(i, 90'000));
    EXPECT_EQ(store.bytes_of("a"), 0U);
  }
  PayloadStore again(spool_, kSmall);
  EXPECT_EQ(again.bytes_of("a"), 0U);
}

TEST_F(PayloadLimitsTest, LimitsHowManyUploadsASiteLeaves) {
  PayloadStore store(spool_, kSmall);
  const auto left = [&] {
    return std::distance(fs::directory_iterator(spool_ / "partial/a"), fs::directory_iterator{});
  };
  for (int i = 0; i < 100; ++i) {
    const Upload upload = store.begin({"a", "u" + std::to_string(i), 1, {}});
  }
  EXPECT_LE(left(), 4);
  PayloadStore again(spool_, kSmall);
  for (int i = 0; i < 100; ++i) {
    const Upload upload = again.begin({"a", "v" + std::to_string(i), 1, {}});
  }
  EXPECT_LE(left(), 4);
  std::vector<Upload> busy;
  for (int i = 0; i < 4; ++i) busy.push_back(again.begin({"a", "w" + std::to_string(i), 1, {}}));
  EXPECT_THROW((void)again.begin({"a", "w4", 1, {}}), PostponedUpload);
  busy.pop_back();
  EXPECT_NO_THROW((void)again.begin({"a", "w4", 1, {}}));
}

TEST_F(PayloadLimitsTest, LeavesTheDiskItsReserve) {
  PayloadStoreConfig full = kSmall;
  full.reserve_bytes = std::numeric_limits<std::uint64_t>::max() / 2;
  PayloadStore store(spool_, full);
  try {
    (void)store.begin({"a", "u", 1, {}});
    ADD_FAILURE() << "there is no room";
  } catch (const PostponedUpload& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find(" bytes that must stay free on the server's disk with " + spool_.string()),
              std::string::npos)
        << text;
  }
  full.reserve_bytes = std::uint64_t{1} << 50U;
  try {
    (void)PayloadStore(spool_, full).begin({"a", "u", 1, {}});
    ADD_FAILURE() << "there is no room";
  } catch (const PostponedUpload& error) {
    EXPECT_NE(std::string(error.what()).find("less than the 1073741824 MiB that must"),
              std::string::npos)
        << error.what();
  }
  PayloadStoreConfig tight = kSmall;
  tight.max_update_bytes = tight.max_site_bytes = std::numeric_limits<std::uint64_t>::max() / 4;
  PayloadStore other(folder_.path() / "other", tight);
  const std::uint64_t more = fs::space(spool_).capacity;
  EXPECT_THROW((void)other.begin({"a", "u", more, {}}), PostponedUpload);
  EXPECT_NO_THROW((void)other.begin({"a", "u", 1'000, {}}));
}

TEST_F(PayloadLimitsTest, ChecksNames) {
  PayloadStore store(spool_, kSmall);
  for (const std::string name : {"", ".", "..", "a/b", "../a", "a~b", "a b", "\xc3\xa4", "a\n"}) {
    EXPECT_NE(refusal_of([&] { (void)store.begin({name, "u", 1, {}}); }), "") << name;
    EXPECT_NE(refusal_of([&] { (void)store.begin({"a", name, 1, {}}); }), "") << name;
    EXPECT_THROW((void)store.path("a", name), ConfigError);
  }
  EXPECT_EQ(refusal_of([&] {
              (void)store.begin({"a", std::string(65, 'x'), 1, {}});
            }).find('\n'),
            std::string::npos);
  EXPECT_EQ(refusal_of([&] { (void)store.begin({"...", std::string(64, 'x'), 1, {}}); }), "");
}

TEST_F(PayloadLimitsTest, IsPrivateAndFollowsNoLinks) {
  const mode_t before = ::umask(0);
  PayloadStore store(spool_, kSmall);
  upload_all(store, "a", "u", content(1, 5'000));
  { Upload left = store.begin({"a", "v", 10, {}}); }
  ::umask(before);
  struct stat status {};
  for (const auto& entry : fs::recursive_directory_iterator(spool_)) {
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, entry.is_directory() ? 0700U : 0600U) << entry.path();
  }
  const std::string target = folder_.file("target", "");
  fs::create_symlink(target, spool_ / "partial/a" / ("w~" + to_hex(Sha256{})));
  EXPECT_THROW((void)store.begin({"a", "w", 10, {}}), StorageError);
}

}  // namespace
}  // namespace convoy::tests
