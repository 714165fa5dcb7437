// SPDX-License-Identifier: Apache-2.0
#include "scheduler/journal/write_ahead_log.h"

#include <spdlog/fmt/fmt.h>
#include <sys/random.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/errors.h"
#include "base/log.h"
#include "scheduler/journal/internal/durable_file.h"
#include "scheduler/journal/internal/segment.h"

namespace convoy::scheduler::journal {
namespace {

using internal::SegmentEnd;
using internal::SegmentFile;

/// Where the newest segment ends.
struct Reading {
  LogContents contents;
  std::optional<SegmentFile> newest;
  SegmentEnd end;
};

[[noreturn]] void incomplete(const std::filesystem::path& place, const std::string& what) {
  throw DamageError(place.string() + ": " + what);
}

Reading read_segments(const std::filesystem::path& folder, const RunId& run, Sequence from,
                      const LogVisitor& visitor) {
  Reading reading;
  const auto segments = internal::list_segments(folder);
  // The newest one that begins early enough; older ones may have been removed or not.
  std::size_t begin = 0;
  while (begin + 1 < segments.size() && segments[begin + 1].first <= from) ++begin;
  if (segments.empty() ? from > 0 : segments[begin].first > from) {
    incomplete(folder, fmt::format("the segment with record {} is missing", from));
  }
  const auto visit = [&](const LogRecord& record) {
    if (record.sequence >= from) visitor(record);
  };
  for (std::size_t i = begin; i < segments.size(); ++i) {
    reading.newest = segments[i];
    reading.end = internal::scan_segment(segments[i], run, visit);
    const bool is_last = i + 1 == segments.size();
    if (!is_last && !reading.end.is_closed) {
      incomplete(segments[i].path, fmt::format("is damaged at byte {}: the segment has no end, and "
                                               "others follow it",
                                               reading.end.bytes));
    }
    if (!is_last && reading.end.next != segments[i + 1].first) {
      incomplete(folder, fmt::format("the segment with record {} is missing", reading.end.next));
    }
  }
  reading.contents.next = reading.end.next;
  if (reading.contents.next < from) {
    incomplete(reading.newest->path,
               fmt::format("the log ends before record {}, and the checkpoint "
                           "contains all before {}",
                           reading.contents.next, from));
  }
  if (reading.end.torn > 0) {
    reading.contents.torn = TornTail{reading.newest->path, reading.end.bytes, reading.end.torn};
  }
  return reading;
}

}  // namespace

RunId new_run_id() {
  RunId run;
  const auto got = ::getrandom(run.data(), run.size(), 0);
  if (got != static_cast<ssize_t>(run.size())) {
    throw std::system_error(errno, std::generic_category(), "getrandom");
  }
  return run;
}

LogContents read_log(const std::filesystem::path& folder, const RunId& run, Sequence from,
                     const LogVisitor& visitor) {
  return read_segments(folder, run, from, visitor).contents;
}

WriteAheadLog::WriteAheadLog(std::filesystem::path folder, const RunId& run, Sequence from,
                             const LogVisitor& visitor, Lost lost)
    : folder_(std::move(folder)), run_(run), lock_(folder_) {
  if (lost == Lost::kBeginAnew) {
    require_config(
        internal::list_segments(folder_).empty(),
        folder_.string() + " holds a log: it is not lost, and nothing is begun without it");
    next_ = durable_ = from;
    start_segment(from);
    return;
  }
  Reading reading = read_segments(folder_, run_, from, visitor);
  next_ = durable_ = reading.contents.next;
  torn_ = std::move(reading.contents.torn);
  if (!reading.newest || reading.end.is_closed) {
    start_segment(next_);
    return;
  }
  first_ = reading.newest->first;
  file_ = std::make_unique<File>(File::open(reading.newest->path, true));
  file_bytes_ = reading.end.bytes;
  if (torn_) {
    logger("scheduler")
        ->warn(
            "{}: {} bytes from byte {} on are the rest of an append that a crash cut off; removed",
            torn_->file.string(), torn_->bytes, torn_->offset);
    file_->cut(file_bytes_);
  } else {
    // What a killed process had written and not made durable is read now, so it must stay.
    file_->sync();
  }
}

WriteAheadLog::~WriteAheadLog() = default;

Sequence WriteAheadLog::append(std::uint16_t type, std::span<const std::byte> payload) {
  require(type <= kMaxType, "WriteAheadLog: a type of the log's own");
  require(payload.size() <= kMaxPayloadBytes, "WriteAheadLog: a record that is too long");
  const std::lock_guard lock(mutex_);
  rethrow_error();
  const auto bytes = internal::encode_record(run_, {next_, type, payload});
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  return next_++;
}

void WriteAheadLog::sync(Sequence sequence) {
  std::unique_lock lock(mutex_);
  require(sequence < next_, "WriteAheadLog: sync() of a record that was not appended");
  while (durable_ <= sequence) {
    rethrow_error();
    if (writing_) {
      // Whoever writes now may have begun before our record; else it is in.
      changed_.wait(lock);
    } else {
      write_out(lock, {});
    }
  }
}

void WriteAheadLog::sync() {
  const Sequence end = next();
  if (end > 0) sync(end - 1);
}

void WriteAheadLog::wait_for_writer(std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock, [&] { return !writing_; });
  rethrow_error();
}

void WriteAheadLog::write_out(std::unique_lock<std::mutex>& lock, std::span<const std::byte> last) {
  writing_ = true;
  const Sequence end = next_;
  auto bytes = std::exchange(buffer_, {});
  bytes.insert(bytes.end(), last.begin(), last.end());
  lock.unlock();
  std::exception_ptr error;
  try {
    file_->write(bytes);
    file_->sync();
  } catch (...) {
    error = std::current_exception();
    try {
      file_->cut(file_bytes_);  // a part of a record may stand there
    } catch (const StorageError& again) {
      logger("scheduler")->error("{}", again.what());  // the next start cuts it off
    }
  }
  lock.lock();
  writing_ = false;
  error_ = error;
  if (!error) {
    file_bytes_ += bytes.size();
    durable_ = end;
  }
  changed_.notify_all();
  rethrow_error();
}

void WriteAheadLog::rethrow_error() const {
  if (error_) std::rethrow_exception(error_);
}

Sequence WriteAheadLog::next() const {
  const std::lock_guard lock(mutex_);
  return next_;
}

Sequence WriteAheadLog::durable() const {
  const std::lock_guard lock(mutex_);
  return durable_;
}

Sequence WriteAheadLog::begin_segment() {
  std::unique_lock lock(mutex_);
  wait_for_writer(lock);
  if (next_ == first_) return next_;
  const Sequence end = next_;
  write_out(lock, internal::encode_record(run_, {end, internal::kEndOfSegment, {}}));
  // Records that came meanwhile wait in the buffer for the new segment.
  try {
    start_segment(end);
  } catch (...) {
    error_ = std::current_exception();
    changed_.notify_all();
    throw;
  }
  return end;
}

void WriteAheadLog::start_segment(Sequence first) {
  const auto path = internal::segment_path(folder_, first);
  const auto header = internal::encode_header(run_, first);
  const std::span<const std::byte> part(header);
  internal::replace_file(path, std::span(&part, 1));
  file_ = std::make_unique<File>(File::open(path, true));
  file_bytes_ = header.size();
  first_ = first;
}

void WriteAheadLog::remove_before(Sequence sequence) {
  const auto segments = internal::list_segments(folder_);
  bool is_changed = false;
  for (std::size_t i = 0; i + 1 < segments.size() && segments[i + 1].first <= sequence; ++i) {
    is_changed = std::filesystem::remove(segments[i].path) || is_changed;
  }
  if (is_changed) internal::sync_names(folder_);
}

}  // namespace convoy::scheduler::journal
