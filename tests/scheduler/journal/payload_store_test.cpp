// SPDX-License-Identifier: Apache-2.0
#include "scheduler/journal/payload_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <thread>

#include "base/errors.h"
#include "base/hash.h"
#include "base/random.h"
#include "scheduler/journal/internal/durable_file.h"
#include "scheduler/journal/storage_error.h"
#include "scheduler/journal/write_ahead_log.h"
#include "tests/scheduler/journal/faulty_disk.h"
#include "tests/small_disk.h"
#include "tests/temporary_folder.h"

namespace convoy::tests {
namespace {

using namespace scheduler::journal;
namespace fs = std::filesystem;
using Bytes = std::vector<std::byte>;

Bytes content(std::uint64_t seed, std::size_t bytes) {
  Random random({seed});
  Bytes values(bytes);
  for (auto& value : values) value = static_cast<std::byte>(random.below(256));
  return values;
}

DeclaredUpload declared(const std::string& site, const std::string& id, const Bytes& bytes) {
  return {site, id, bytes.size(), sha256(bytes)};
}

/// Sends what is missing, up to `end`.
void send(Upload& upload, const Bytes& bytes, std::size_t end, std::size_t step = 777) {
  while (upload.offset() < end) {
    const auto part = std::min<std::size_t>(step, end - upload.offset());
    upload.write(std::span(bytes).subspan(upload.offset(), part));
  }
}

void upload_all(PayloadStore& store, const std::string& site, const std::string& id,
                const Bytes& bytes) {
  Upload upload = store.begin(declared(site, id, bytes));
  send(upload, bytes, bytes.size());
  upload.finish();
}

std::string refusal_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const RefusedUpload& refused) {
    return refused.what();
  }
  return "";
}

constexpr PayloadStoreConfig kSmall{
    .max_update_bytes = 100'000, .max_site_bytes = 150'000, .sync_bytes = 4096};

class PayloadStoreTest : public testing::Test {
 protected:
  PayloadStoreTest() { disk::reset(); }
  ~PayloadStoreTest() override { disk::reset(); }

  TemporaryFolder folder_;
  fs::path spool_ = folder_.path() / "spool";
};

TEST_F(PayloadStoreTest, KeepsWhatWasSent) {
  PayloadStore store(spool_, kSmall);
  for (const std::size_t bytes : {0U, 1U, 4095U, 4096U, 4097U, 50'000U}) {
    const std::string id = "u" + std::to_string(bytes);
    const Bytes sent = content(bytes, bytes);
    upload_all(store, "site-a", id, sent);
    EXPECT_EQ(store.read("site-a", id), sent);
    EXPECT_EQ(fs::file_size(spool_ / "complete/site-a" / id), bytes);
  }
  EXPECT_TRUE(fs::is_empty(spool_ / "partial/site-a"));
  EXPECT_FALSE(store.has("site-b", "u1"));
}

TEST_F(PayloadStoreTest, ReadsInPartsOfAtMostAMebibyte) {
  constexpr std::size_t kMebibyte = std::size_t{1} << 20U;
  PayloadStore store(spool_);
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, kMebibyte, 3 * kMebibyte + 5}) {
    const std::string id = "u" + std::to_string(bytes);
    const Bytes sent = content(bytes, bytes);
    upload_all(store, "a", id, sent);
    EXPECT_EQ(store.size("a", id), bytes);
    Bytes got;
    store.read("a", id, [&](std::span<const std::byte> part) {
      EXPECT_LE(part.size(), kMebibyte);
      got.insert(got.end(), part.begin(), part.end());
    });
    EXPECT_EQ(got, sent) << bytes;
  }
  EXPECT_THROW(store.read("a", "none", [](std::span<const std::byte>) {}), StorageError);
  EXPECT_THROW((void)store.size("a", "none"), StorageError);
}

TEST_F(PayloadStoreTest, IsOnTheDiskWhenItIsFinished) {
  PayloadStore store(spool_, kSmall);
  for (int i = 0; i < 5; ++i) {
    const std::string id = "u" + std::to_string(i);
    const Bytes sent = content(i, 3000 + 2000 * static_cast<std::size_t>(i));
    upload_all(store, "a", id, sent);
    const fs::path left = folder_ / ("left" + std::to_string(i));
    disk::survive_power_failure(spool_, left);
    EXPECT_EQ(PayloadStore(left, kSmall).read("a", id), sent);
  }
}

TEST_F(PayloadStoreTest, GoesOnInTheSameProcessAtTheLastByte) {
  PayloadStore store(spool_, kSmall);
  const Bytes sent = content(1, 20'000);
  {
    Upload upload = store.begin(declared("a", "u", sent));
    send(upload, sent, 9'999);
    EXPECT_EQ(refusal_of([&] { (void)store.begin(declared("a", "u", sent)); }),
              "update u of a is being received already");
  }
  Upload upload = store.begin(declared("a", "u", sent));
  EXPECT_EQ(upload.offset(), 9'999U);
  send(upload, sent, sent.size());
  upload.finish();
  EXPECT_EQ(store.read("a", "u"), sent);
}

/// A site is told that what lies before this offset is on stable storage.
TEST_F(PayloadStoreTest, WhatAnUploadGoesOnBehindIsOnTheDisk) {
  PayloadStore store(spool_, kSmall);
  const Bytes sent = content(1, 20'000);
  for (const std::size_t end : {100U, 4'096U, 9'999U, 20'000U}) {
    {
      Upload upload = store.begin(declared("a", "u", sent));
      send(upload, sent, end);
    }
    const Upload upload = store.begin(declared("a", "u", sent));
    EXPECT_EQ(upload.offset(), end);
    const fs::path left = folder_ / ("left" + std::to_string(end));
    disk::survive_power_failure(spool_, left);
    const fs::path file = left / "partial/a" / ("u~" + to_hex(sha256(sent)));
    EXPECT_EQ(scheduler::journal::internal::read_all(file),
              Bytes(sent.begin(), sent.begin() + static_cast<std::ptrdiff_t>(end)));
  }
}

TEST_F(PayloadStoreTest, GoesOnAtWhatIsDurableWhereTheRestCannotBeSynced) {
  PayloadStore store(spool_, kSmall);
  const Bytes sent = content(1, 20'000);
  {
    Upload upload = store.begin(declared("a", "u", sent));
    send(upload, sent, 9'999);
  }
  disk::fail_sync(0, EIO);
  EXPECT_THROW((void)store.begin(declared("a", "u", sent)), StorageError);
  Upload upload = store.begin(declared("a", "u", sent));
  EXPECT_EQ(upload.offset(), 8'192U);
  send(upload, sent, sent.size());
  upload.finish();
  EXPECT_EQ(store.read("a", "u"), sent);
}

TEST_F(PayloadStoreTest, GoesOnAfterAPowerFailureAtWhatIsDurable) {
  PayloadStore store(spool_, kSmall);
  const Bytes sent = content(1, 20'000);
  Upload first = store.begin(declared("a", "u", sent));
  for (std::size_t end = 100; end < sent.size(); end += 1'900) {
    send(first, sent, end, 333);
    const fs::path left = folder_ / ("left" + std::to_string(end));
    disk::survive_power_failure(spool_, left);
    const fs::path file = left / "partial/a" / ("u~" + to_hex(sha256(sent)));
    // The system may have made the file longer, and not have written what stands there.
    fs::resize_file(file, end);
    PayloadStore again(left, kSmall);
    Upload upload = again.begin(declared("a", "u", sent));
    EXPECT_EQ(upload.offset(), (end - 1) / 4096 * 4096);
    send(upload, sent, sent.size());
    upload.finish();
    EXPECT_EQ(again.read("a", "u"), sent);
  }
}

TEST_F(PayloadStoreTest, ChecksTheHash) {
  PayloadStore store(spool_, kSmall);
  const Bytes sent = content(1, 10'000);
  Bytes wrong = sent;
  wrong[5'000] ^= std::byte{1};
  {
    Upload upload = store.begin(declared("a", "u", sent));
    EXPECT_EQ(refusal_of([&] { upload.finish(); }), "update u of a: 0 of 10000 bytes have come");
    send(upload, wrong, wrong.size());
    EXPECT_EQ(refusal_of([&] { upload.finish(); }),
              "update u of a: the bytes do not have the declared SHA-256");
  }
  EXPECT_FALSE(store.has("a", "u"));
  Upload upload = store.begin(declared("a", "u", sent));
  EXPECT_EQ(upload.offset(), 0U);
  send(upload, sent, sent.size());
  EXPECT_EQ(refusal_of([&] { upload.write(std::span(sent).first(1)); }),
            "update u of a: more than the 10000 bytes that were declared");
  upload.finish();
}

TEST_F(PayloadStoreTest, AWholePayloadIsFinishedAtOnce) {
  const Bytes sent = content(1, 10'000);
  {
    PayloadStore store(spool_, kSmall);
    upload_all(store, "a", "u", sent);
  }
  PayloadStore store(spool_, kSmall);
  EXPECT_TRUE(store.begin(declared("a", "u", sent)).is_finished());
  EXPECT_EQ(refusal_of([&] { (void)store.begin(declared("a", "u", content(2, 10'000))); }),
            "update u of a has been received before, with other bytes");
}

TEST_F(PayloadStoreTest, LimitsWhatASiteMayHave) {
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

TEST_F(PayloadStoreTest, FinishedUploadsDoNotCount) {
  PayloadStore store(spool_, kSmall);
  for (int i = 0; i < 5; ++i) {
    upload_all(store, "a", "u" + std::to_string(i), content(i, 90'000));
    EXPECT_EQ(store.bytes_of("a"), 0U);
  }
  PayloadStore again(spool_, kSmall);
  EXPECT_EQ(again.bytes_of("a"), 0U);
}

TEST_F(PayloadStoreTest, LimitsHowManyUploadsASiteLeaves) {
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

TEST_F(PayloadStoreTest, LeavesTheDiskItsReserve) {
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

TEST_F(PayloadStoreTest, ChecksNames) {
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

TEST_F(PayloadStoreTest, IsPrivateAndFollowsNoLinks) {
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

TEST_F(PayloadStoreTest, ReleasesAndCleansUp) {
  PayloadStore store(spool_, kSmall);
  for (const char* id : {"kept", "released", "orphan"}) upload_all(store, "a", id, content(1, 100));
  { Upload left = store.begin({"a", "left", 10, {}}); }
  const Upload busy = store.begin({"a", "busy", 10, {}});
  store.release("a", "released");
  EXPECT_FALSE(store.has("a", "released"));
  store.release("a", "released");
  const auto is_wanted = [](const std::string&, const std::string& id) { return id == "kept"; };
  EXPECT_EQ(store.clean(std::chrono::hours(1), is_wanted), 0U);
  EXPECT_EQ(store.clean(std::chrono::seconds(0), is_wanted), 2U);
  EXPECT_TRUE(store.has("a", "kept"));
  EXPECT_FALSE(store.has("a", "orphan"));
  EXPECT_EQ(store.bytes_of("a"), 10U);
  PayloadStoreConfig keeping = kSmall;
  keeping.keep_updates = true;
  PayloadStore keeper(folder_.path() / "other", keeping);
  upload_all(keeper, "a", "u", content(1, 100));
  keeper.release("a", "u");
  EXPECT_TRUE(keeper.has("a", "u"));
}

TEST_F(PayloadStoreTest, TakesUploadsFromManyThreads) {
  PayloadStore store(spool_, kSmall);
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&store, thread] {
        for (int i = 0; i < 5; ++i) {
          const auto seed = static_cast<std::uint64_t>(thread * 100 + i);
          upload_all(store, "site" + std::to_string(thread % 4), "u" + std::to_string(seed),
                     content(seed, 12'000));
        }
      });
    }
  }
  for (int thread = 0; thread < 8; ++thread) {
    for (int i = 0; i < 5; ++i) {
      const auto seed = static_cast<std::uint64_t>(thread * 100 + i);
      EXPECT_EQ(store.read("site" + std::to_string(thread % 4), "u" + std::to_string(seed)),
                content(seed, 12'000));
    }
  }
}

TEST_F(PayloadStoreTest, WritesAgainWhatADiskFailedToSync) {
  PayloadStore store(spool_, kSmall);
  const Bytes sent = content(1, 20'000);
  {
    Upload upload = store.begin(declared("a", "u", sent));
    send(upload, sent, 5'000);
    disk::fail_sync(0, EIO);
    EXPECT_THROW(send(upload, sent, 9'000), StorageError);
    EXPECT_EQ(upload.offset(), 4'096U);
  }
  Upload upload = store.begin(declared("a", "u", sent));
  EXPECT_EQ(upload.offset(), 4'096U);
  send(upload, sent, sent.size());
  disk::fail_sync(0, EIO);
  EXPECT_THROW(upload.finish(), StorageError);
  EXPECT_FALSE(store.has("a", "u"));
}

TEST_F(PayloadStoreTest, AFullDiskIsAnErrorThatNamesTheFile) {
  const SmallDisk small(folder_ / "small");
  if (!small.is_there()) GTEST_SKIP() << "no right to mount: " << std::strerror(errno);
  const PayloadStoreConfig config{.reserve_bytes = 0, .sync_bytes = 65'536};
  PayloadStore store(folder_.path() / "small/spool", config);
  WriteAheadLog log(folder_ / "small/log", RunId{}, 0, [](const LogRecord&) {});
  const Bytes first = content(1, 600'000);
  upload_all(store, "a", "first", first);
  log.sync(log.append(1, std::as_bytes(std::span("first"))));
  const Bytes second = content(2, 500'000);
  std::uint64_t offset = 0;
  {
    Upload upload = store.begin(declared("a", "second", second));
    try {
      send(upload, second, second.size(), 10'000);
      FAIL() << "there is no room for it";
    } catch (const StorageError& error) {
      EXPECT_TRUE(error.is_full());
      EXPECT_NE(std::string(error.what()).find("small/spool/partial/a/second~"), std::string::npos)
          << error.what();
    }
    offset = upload.offset();
  }
  EXPECT_GT(offset, 100'000U);
  // The log has no room either, and says so.
  EXPECT_THROW(
      {
        for (int i = 0; i < 1000; ++i) log.sync(log.append(2, std::span(second).first(4'000)));
      },
      StorageError);
  EXPECT_EQ(store.read("a", "first"), first);
  std::size_t records = 0;
  const auto contents =
      read_log(folder_ / "small/log", RunId{}, 0, [&](const LogRecord&) { ++records; });
  EXPECT_EQ(records, log.durable());
  EXPECT_GE(records, 1U);
  EXPECT_FALSE(contents.torn);
  // With room again it goes on.
  store.release("a", "first");
  Upload upload = store.begin(declared("a", "second", second));
  EXPECT_EQ(upload.offset(), offset);
  send(upload, second, second.size());
  upload.finish();
  EXPECT_EQ(store.read("a", "second"), second);
}

}  // namespace
}  // namespace convoy::tests
