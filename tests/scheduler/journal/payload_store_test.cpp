// SPDX-License-Identifier: Apache-2.0
#include "scheduler/journal/payload_store.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "scheduler/journal/internal/durable_file.h"
#include "scheduler/journal/storage_error.h"
#include "scheduler/journal/write_ahead_log.h"
#include "tests/scheduler/journal/payload_store_kit.h"
#include "tests/small_disk.h"

namespace convoy::tests {
namespace {

using namespace scheduler::journal;
namespace fs = std::filesystem;

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
