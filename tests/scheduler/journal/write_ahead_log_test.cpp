// SPDX-License-Identifier: Apache-2.0
#include "scheduler/journal/write_ahead_log.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <thread>

#include "base/errors.h"
#include "base/file.h"
#include "base/hash.h"
#include "scheduler/journal/storage_error.h"
#include "tests/scheduler/journal/faulty_disk.h"
#include "tests/temporary_folder.h"

namespace convoy::tests {
namespace {

using namespace scheduler::journal;
namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

RunId run_of(int number) {
  RunId run{};
  run[0] = static_cast<std::byte>(number);
  return run;
}
const RunId kRun = run_of(7);

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

/// "number:type:payload" of every record.
LogVisitor into(Lines& lines) {
  return [&lines](const LogRecord& record) {
    lines.push_back(
        std::to_string(record.sequence) + ":" + std::to_string(record.type) + ":" +
        std::string(reinterpret_cast<const char*>(record.payload.data()), record.payload.size()));
  };
}

Lines lines_of(const fs::path& folder, Sequence from = 0, LogContents* contents = nullptr) {
  Lines lines;
  const LogContents read = read_log(folder, kRun, from, into(lines));
  if (contents != nullptr) *contents = read;
  return lines;
}

const LogVisitor kNothing = [](const LogRecord&) {};

std::string payload(int i) {
  return std::string(static_cast<std::size_t>(i * 7 % 23), 'a' + i % 26);
}

/// Records 0 to 11, with payloads of many lengths, one of them empty; segments begin at 0, 4 and 9.
Lines write_small_log(const fs::path& folder) {
  WriteAheadLog log(folder, kRun, 0, kNothing);
  Lines lines;
  for (int i = 0; i < 12; ++i) {
    if (i == 4 || i == 9) {
      EXPECT_EQ(log.begin_segment(), static_cast<Sequence>(i));
    }
    EXPECT_EQ(log.append(static_cast<std::uint16_t>(i + 1), bytes_of(payload(i))),
              static_cast<Sequence>(i));
    lines.push_back(std::to_string(i) + ":" + std::to_string(i + 1) + ":" + payload(i));
    if (i % 3 == 0) log.sync();
  }
  log.sync();
  return lines;
}

fs::path segment(const fs::path& folder, int first) {
  return folder /
         ("log-" + std::string(first < 10 ? 19 : 18, '0') + std::to_string(first) + ".wal");
}

/// In place: ext4 waits for the disk where a file is written anew.
void put_byte(const fs::path& file, std::size_t offset, int byte) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(offset));
  stream.put(static_cast<char>(byte));
}

std::string message_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

TEST(WriteAheadLog, GivesBackWhatWasWritten) {
  const TemporaryFolder folder;
  const Lines written = write_small_log(folder / "log");
  LogContents contents;
  EXPECT_EQ(lines_of(folder / "log", 0, &contents), written);
  EXPECT_EQ(contents.next, 12U);
  EXPECT_FALSE(contents.torn);
  EXPECT_EQ(lines_of(folder / "log", 6), Lines(written.begin() + 6, written.end()));
}

TEST(WriteAheadLog, GoesOnWhereItEnded) {
  const TemporaryFolder folder;
  Lines written = write_small_log(folder / "log");
  for (int i = 12; i < 20; ++i) {
    Lines read;
    WriteAheadLog log(folder / "log", kRun, 0, into(read));
    ASSERT_EQ(read, written);
    EXPECT_EQ(log.next(), static_cast<Sequence>(i));
    EXPECT_EQ(log.durable(), log.next());
    log.sync(log.append(1, bytes_of("more")));
    written.push_back(std::to_string(i) + ":1:more");
    if (i == 15) {
      EXPECT_EQ(log.begin_segment(), 16U);
    }
  }
}

TEST(WriteAheadLog, CutsOffATornTailAtEveryByte) {
  const TemporaryFolder folder;
  const Lines written = write_small_log(folder / "log");
  const fs::path newest = segment(folder / "log", 9);
  const std::string whole = read_text_file(newest);
  constexpr std::size_t kHeader = 48;
  // Ends of records 9, 10 and 11.
  std::vector<std::size_t> ends{kHeader};
  for (int i = 9; i < 12; ++i) ends.push_back(ends.back() + 36 + payload(i).size());
  ASSERT_EQ(ends.back(), whole.size());
  for (std::size_t size = kHeader; size < whole.size(); ++size) {
    fs::resize_file(newest, size);
    LogContents contents;
    const Lines read = lines_of(folder / "log", 0, &contents);
    const auto end = std::upper_bound(ends.begin(), ends.end(), size) - 1;
    const auto kept = 9 + (end - ends.begin());
    ASSERT_EQ(read, Lines(written.begin(), written.begin() + kept)) << size;
    ASSERT_EQ(contents.torn.has_value(), size != *end) << size;
    if (contents.torn) {
      EXPECT_EQ(contents.torn->file, newest);
      EXPECT_EQ(contents.torn->offset, *end);
      EXPECT_EQ(contents.torn->bytes, size - *end);
    }
    if (size % 5 == 0) {
      WriteAheadLog log(folder / "log", kRun, 0, kNothing);
      EXPECT_EQ(log.torn().has_value(), size != *end);
      EXPECT_EQ(log.next(), static_cast<Sequence>(kept));
      log.sync(log.append(77, bytes_of("next")));
      EXPECT_EQ(lines_of(folder / "log").back(), std::to_string(kept) + ":77:next");
    }
    folder.file("log/" + newest.filename().string(), whole);
  }
}

TEST(WriteAheadLog, TakesUnwrittenBlocksForATornTail) {
  const TemporaryFolder folder;
  const Lines written = write_small_log(folder / "log");
  const fs::path newest = segment(folder / "log", 9);
  const std::string whole = read_text_file(newest);
  const std::size_t last = whole.size() - 36 - payload(11).size();
  for (std::size_t begin = last; begin < whole.size(); ++begin) {
    std::string torn = whole;
    std::fill(torn.begin() + static_cast<std::ptrdiff_t>(begin), torn.end(), '\0');
    torn += std::string(5000, '\0');
    folder.file("log/" + newest.filename().string(), torn);
    LogContents contents;
    EXPECT_EQ(lines_of(folder / "log", 0, &contents), Lines(written.begin(), written.end() - 1));
    ASSERT_TRUE(contents.torn) << begin;
    EXPECT_EQ(contents.torn->offset, last);
  }
}

TEST(WriteAheadLog, FindsEveryFlippedBit) {
  const TemporaryFolder folder;
  (void)write_small_log(folder / "log");
  for (const int first : {0, 4, 9}) {
    const fs::path file = segment(folder / "log", first);
    const std::string whole = read_text_file(file);
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      put_byte(file, bit / 8, whole[bit / 8] ^ (1 << (bit % 8)));
      try {
        (void)lines_of(folder / "log");
        ADD_FAILURE() << "segment " << first << ", bit " << bit;
      } catch (const DamageError& error) {
        const std::string message = error.what();
        EXPECT_NE(message.find(file.string() + " is damaged at byte "), std::string::npos)
            << message;
      }
      put_byte(file, bit / 8, whole[bit / 8]);
    }
  }
}

TEST(WriteAheadLog, RefusesWhatEndsBeforeAnotherSegment) {
  const TemporaryFolder folder;
  (void)write_small_log(folder / "log");
  const fs::path middle = segment(folder / "log", 4);
  const std::string whole = read_text_file(middle);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    fs::resize_file(middle, size);
    EXPECT_THROW((void)lines_of(folder / "log"), DamageError) << size;
    folder.file("log/" + middle.filename().string(), whole);
  }
  fs::remove(middle);
  EXPECT_NE(message_of([&] {
              (void)lines_of(folder / "log");
            }).find("the segment with record 4 is missing"),
            std::string::npos);
  EXPECT_EQ(lines_of(folder / "log", 9).size(), 3U) << "nobody needs it";
}

TEST(WriteAheadLog, RefusesALogThatDoesNotReachTheCheckpoint) {
  const TemporaryFolder folder;
  (void)write_small_log(folder / "log");
  EXPECT_NE(message_of([&] {
              (void)lines_of(folder / "log", 13);
            }).find("ends before record 12, and the checkpoint contains all before 13"),
            std::string::npos);
  EXPECT_THROW(WriteAheadLog(folder / "none", kRun, 3, kNothing), DamageError);
}

TEST(WriteAheadLog, RefusesOtherRunsAndNewerFormats) {
  const TemporaryFolder folder;
  (void)write_small_log(folder / "log");
  EXPECT_NE(message_of([&] {
              WriteAheadLog(folder / "log", run_of(8), 0, kNothing);
            }).find("belongs to run 0700000000000000"),
            std::string::npos);
  const fs::path file = segment(folder / "log", 0);
  std::string header = read_text_file(file);
  header[8] = 2;
  const auto hash = hash64(bytes_of(header).first(40));
  for (int i = 0; i < 8; ++i) header[40 + i] = static_cast<char>(hash >> (8 * i));
  folder.file("log/" + file.filename().string(), header);
  EXPECT_NE(message_of([&] {
              (void)lines_of(folder / "log");
            }).find("has format 2 of a newer version of convoy; this one reads 1"),
            std::string::npos);
}

TEST(WriteAheadLog, BelongsToOneProcess) {
  const TemporaryFolder folder;
  const WriteAheadLog log(folder / "log", kRun, 0, kNothing);
  EXPECT_EQ(message_of([&] { WriteAheadLog(folder / "log", kRun, 0, kNothing); }),
            (folder / "log") + " is in use by another process");
}

TEST(WriteAheadLog, RemovesOnlyWhatACheckpointContains) {
  const TemporaryFolder folder;
  (void)write_small_log(folder / "log");
  WriteAheadLog log(folder / "log", kRun, 0, kNothing);
  log.remove_before(8);
  EXPECT_FALSE(fs::exists(segment(folder / "log", 0)));
  EXPECT_TRUE(fs::exists(segment(folder / "log", 4)));
  log.remove_before(9);
  EXPECT_FALSE(fs::exists(segment(folder / "log", 4)));
  log.remove_before(1000);
  EXPECT_TRUE(fs::exists(segment(folder / "log", 9))) << "the newest one stays";
}

TEST(WriteAheadLog, IsPrivate) {
  const TemporaryFolder folder;
  const mode_t before = ::umask(0);
  (void)write_small_log(folder / "a/log");
  ::umask(before);
  struct stat status {};
  for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, entry.is_directory() ? 0700U : 0600U) << entry.path();
  }
}

TEST(WriteAheadLog, WhatIsSyncedSurvivesAPowerFailure) {
  const TemporaryFolder folder;
  disk::reset();
  Lines written;
  WriteAheadLog log(folder / "log", kRun, 0, kNothing);
  for (int i = 0; i < 12; ++i) {
    const auto sequence = log.append(1, bytes_of(payload(i)));
    (void)log.append(2, bytes_of("on its way"));
    log.sync(sequence);
    const std::string left = folder / ("left" + std::to_string(i));
    disk::survive_power_failure(folder.path() / "log", left);
    const Lines read = lines_of(left);
    ASSERT_GT(read.size(), sequence);
    EXPECT_EQ(read[sequence], std::to_string(sequence) + ":1:" + payload(i));
    if (i % 5 == 2) (void)log.begin_segment();
  }
}

TEST(WriteAheadLog, ManyAppendsShareOneSync) {
  constexpr int kThreads = 8;
  constexpr int kEach = 50;
  const TemporaryFolder folder;
  disk::reset();
  WriteAheadLog log(folder / "log", kRun, 0, kNothing);
  disk::before_sync([] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); });
  const auto before = disk::syncs();
  std::atomic<int> early = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < kEach; ++i) {
          const auto sequence =
              log.append(static_cast<std::uint16_t>(thread), bytes_of(std::to_string(i)));
          log.sync(sequence);
          if (log.durable() <= sequence) ++early;
        }
      });
    }
  }
  EXPECT_EQ(early, 0);
  EXPECT_LT(disk::syncs() - before, kThreads * kEach / 2);
  disk::survive_power_failure(folder.path() / "log", folder / "left");
  disk::reset();
  // In the order of their numbers, and every thread's in its own order.
  const Lines read = lines_of(folder / "left");
  ASSERT_EQ(read.size(), static_cast<std::size_t>(kThreads * kEach));
  std::vector<int> next(kThreads, 0);
  for (std::size_t i = 0; i < read.size(); ++i) {
    const auto first = read[i].find(':');
    const auto second = read[i].find(':', first + 1);
    EXPECT_EQ(read[i].substr(0, first), std::to_string(i));
    const auto thread = static_cast<std::size_t>(std::stoi(read[i].substr(first + 1)));
    EXPECT_EQ(std::stoi(read[i].substr(second + 1)), next[thread]++);
  }
}

TEST(WriteAheadLog, AppendsWhileASegmentBegins) {
  const TemporaryFolder folder;
  disk::reset();
  {
    WriteAheadLog log(folder / "log", kRun, 0, kNothing);
    std::jthread writer([&] {
      for (int i = 0; i < 300; ++i) log.sync(log.append(1, bytes_of(std::to_string(i))));
    });
    for (int i = 0; i < 20; ++i) (void)log.begin_segment();
  }
  const Lines read = lines_of(folder / "log");
  ASSERT_EQ(read.size(), 300U);
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(read[static_cast<std::size_t>(i)], std::to_string(i) + ":1:" + std::to_string(i));
  }
}

TEST(WriteAheadLog, AFullDiskLeavesWhatWasDurable) {
  const TemporaryFolder folder;
  disk::reset();
  const Lines written = write_small_log(folder / "log");
  {
    WriteAheadLog log(folder / "log", kRun, 0, kNothing);
    disk::fail_write(0, ENOSPC);
    const auto sequence = log.append(1, bytes_of("too much"));
    const std::string message = message_of([&] { log.sync(sequence); });
    EXPECT_EQ(message,
              "cannot write " + segment(folder / "log", 9).string() + ": No space left on device");
    EXPECT_EQ(log.durable(), 12U);
    disk::reset();
    EXPECT_EQ(message_of([&] { log.append(1, bytes_of("more")); }), message);
  }
  LogContents contents;
  EXPECT_EQ(lines_of(folder / "log", 0, &contents), written);
  EXPECT_FALSE(contents.torn) << "the half record was cut off at once";
}

TEST(WriteAheadLog, NeverTrustsADiskThatFailedToSync) {
  const TemporaryFolder folder;
  disk::reset();
  WriteAheadLog log(folder / "log", kRun, 0, kNothing);
  disk::fail_sync(0, EIO);
  const auto sequence = log.append(1, bytes_of("lost"));
  EXPECT_THROW(log.sync(sequence), StorageError);
  EXPECT_THROW(log.sync(sequence), StorageError)
      << "a second fdatasync() would say that all is well";
  EXPECT_THROW((void)log.begin_segment(), StorageError);
  EXPECT_EQ(log.durable(), 0U);
  disk::reset();
  EXPECT_EQ(lines_of(folder / "log"), Lines{});
}

}  // namespace
}  // namespace convoy::tests
