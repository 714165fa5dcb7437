// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "scheduler/journal/folder_lock.h"

namespace convoy::scheduler::journal {

/// Tells the logs of different runs apart.
using RunId = std::array<std::byte, 16>;
/// From the operating system's entropy.
[[nodiscard]] RunId new_run_id();

/// Records are numbered from 0, over all segments.
using Sequence = std::uint64_t;

struct LogRecord {
  Sequence sequence = 0;
  std::uint16_t type = 0;
  std::span<const std::byte> payload;  ///< valid while the visitor runs
};
using LogVisitor = std::function<void(const LogRecord&)>;

/// The end of an append that a crash has cut off. Nobody was told of what stood there.
struct TornTail {
  std::filesystem::path file;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// What a reading of a log has shown.
struct LogContents {
  Sequence next = 0;  ///< number of the record that comes next
  std::optional<TornTail> torn;
};

/// Visits the records from `from` on, and changes nothing. Memory: one record.
/// @throws DamageError that names file and offset, where anything but a torn tail at the very end
///         is wrong, a segment is missing, or the log ends before `from`; ConfigError where a
///         segment is of another run or a newer format; StorageError.
[[nodiscard]] LogContents read_log(const std::filesystem::path& folder, const RunId& run,
                                   Sequence from, const LogVisitor& visitor);

namespace internal {
class DurableFile;
}

/// An append-only log in segments: docs/durability.md has the format. append() costs a copy; sync()
/// puts on stable storage, in one go, all that anybody has appended by then. Any thread.
///
/// Where writing fails, what was durable stays, and every later call throws the same error: what
/// the disk has of the rest is not known.
class WriteAheadLog {
 public:
  static constexpr std::size_t kMaxPayloadBytes = std::size_t{16} << 20U;
  /// Types above are the log's own.
  static constexpr std::uint16_t kMaxType = 0xfeff;

  /// Whether a log that has gone may be begun anew where the checkpoint ends.
  enum class Lost : std::uint8_t { kRefuse, kBeginAnew };

  /// Opens the log in `folder`, visits the records from `from` on, and cuts off a torn tail. Makes
  /// an empty log where there is none and `from` is 0, or a lost one may be begun anew.
  /// @param from  what begin_segment() returned for the newest checkpoint; else 0.
  /// @throws as read_log(); ConfigError where another process has the log, and where one is to be
  ///         begun anew that is there.
  WriteAheadLog(std::filesystem::path folder, const RunId& run, Sequence from,
                const LogVisitor& visitor, Lost lost = Lost::kRefuse);
  ~WriteAheadLog();
  WriteAheadLog(const WriteAheadLog&) = delete;
  WriteAheadLog& operator=(const WriteAheadLog&) = delete;

  /// @return the record's number. Not durable before sync(). @param type  at most kMaxType.
  Sequence append(std::uint16_t type, std::span<const std::byte> payload);
  /// Returns when the record and all before it survive a power failure.
  void sync(Sequence sequence);
  /// sync() of all that was appended so far.
  void sync();

  [[nodiscard]] Sequence next() const;
  /// Records numbered below are durable.
  [[nodiscard]] Sequence durable() const;

  /// Makes all durable and starts a new segment, unless the newest one is empty. A checkpoint of
  /// the state after all records so far must remember what this returns: where to read on.
  Sequence begin_segment();
  /// Removes segments that hold only records below `sequence`. After that checkpoint is durable.
  void remove_before(Sequence sequence);

  /// What was cut off when it was opened.
  [[nodiscard]] const std::optional<TornTail>& torn() const { return torn_; }

 private:
  using File = internal::DurableFile;

  void start_segment(Sequence first);
  /// Writes the buffer and `last`; without the lock while it does.
  void write_out(std::unique_lock<std::mutex>& lock, std::span<const std::byte> last);
  void wait_for_writer(std::unique_lock<std::mutex>& lock);
  void rethrow_error() const;

  const std::filesystem::path folder_;
  const RunId run_;
  std::optional<TornTail> torn_;
  FolderLock lock_;

  mutable std::mutex mutex_;  // guards what follows; file_ belongs to whoever set writing_
  std::condition_variable changed_;
  std::unique_ptr<File> file_;
  std::uint64_t file_bytes_ = 0;  // durable ones
  Sequence first_ = 0;            // of the newest segment
  Sequence next_ = 0;
  Sequence durable_ = 0;
  std::vector<std::byte> buffer_;  // appended, not yet written
  bool writing_ = false;
  std::exception_ptr error_;
};

}  // namespace convoy::scheduler::journal
