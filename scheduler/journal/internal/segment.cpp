// SPDX-License-Identifier: Apache-2.0
#include "scheduler/journal/internal/segment.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "base/errors.h"
#include "base/hash.h"
#include "scheduler/journal/internal/bytes.h"
#include "scheduler/journal/internal/durable_file.h"

namespace convoy::scheduler::journal::internal {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint64_t kMagic = 0x4c41574a564e4f43;  // "CONVJWAL"
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 48;
constexpr std::size_t kRecordHeadBytes = 24;
constexpr std::size_t kHashBytes = 8;
// Its last byte is not 0, so that a record whose end the disk never got is not taken for a whole
// one.
constexpr std::uint32_t kEndMark = 0x0a444e45;  // "END\n"
constexpr std::size_t kRecordTailBytes = kHashBytes + 4;
constexpr std::string_view kPrefix = "log-";
constexpr std::string_view kSuffix = ".wal";

/// Other logs' records that stand in reused blocks of the disk do not fit.
std::uint64_t seed_of(const RunId& run) { return hash64(run); }

bool is_zero(Bytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](std::byte byte) { return byte == std::byte{}; });
}

class Scanner {
 public:
  Scanner(const SegmentFile& segment, const RunId& run)
      : segment_(segment),
        run_(run),
        file_(DurableFile::open(segment.path, false)),
        size_(file_.size()) {}

  SegmentEnd run(const LogVisitor& visitor) {
    read_header();
    SegmentEnd end{.next = segment_.first, .bytes = kHeaderBytes};
    while (end.bytes < size_) {
      if (end.is_closed) damaged(end.bytes, "bytes stand behind the segment's end");
      const auto record = read_record(end.bytes, end.next);
      if (!record) {
        end.torn = size_ - end.bytes;
        return end;
      }
      end.bytes += kRecordHeadBytes + record->payload.size() + kRecordTailBytes;
      end.is_closed = record->type == kEndOfSegment;
      if (end.is_closed) continue;
      ++end.next;
      visitor(*record);
    }
    return end;
  }

 private:
  [[noreturn]] void damaged(std::uint64_t offset, const std::string& what) const {
    throw DamageError(
        fmt::format("{} is damaged at byte {}: {}", segment_.path.string(), offset, what));
  }

  void read_header() {
    const Bytes head = read(0, kHeaderBytes);
    ByteReader reader(head);
    const bool has_magic = reader.number<std::uint64_t>() == kMagic;
    const auto version = reader.number<std::uint32_t>();
    (void)reader.number<std::uint32_t>();
    const Bytes run = reader.raw(run_.size());
    const auto first = reader.number<std::uint64_t>();
    const auto hash = reader.number<std::uint64_t>();
    if (!reader.ok() || !has_magic || hash != hash64(head.first(kHeaderBytes - kHashBytes))) {
      damaged(0, "its header is not that of a log");
    }
    require_config(version <= kVersion,
                   fmt::format("{} has format {} of a newer version of convoy; this one reads {}",
                               segment_.path.string(), version, kVersion));
    if (!std::equal(run.begin(), run.end(), run_.begin())) {
      RunId other;
      std::copy(run.begin(), run.end(), other.begin());
      throw ConfigError(fmt::format("{} belongs to run {}, and this is run {}",
                                    segment_.path.string(), to_hex(other), to_hex(run_)));
    }
    if (first != segment_.first) {
      damaged(0,
              fmt::format("it begins with record {}, and its name says {}", first, segment_.first));
    }
  }

  /// Nothing where the file ends in the middle of an append.
  std::optional<LogRecord> read_record(std::uint64_t offset, Sequence expected) {
    const std::uint64_t left = size_ - offset;
    if (left < kRecordHeadBytes) return std::nullopt;
    ByteReader head(read(offset, kRecordHeadBytes));
    const auto length = head.number<std::uint32_t>();
    const auto type = head.number<std::uint16_t>();
    (void)head.number<std::uint16_t>();
    const auto sequence = head.number<std::uint64_t>();
    const auto head_hash = head.number<std::uint64_t>();
    if (head_hash != hash64(Bytes(buffer_).first(kRecordHeadBytes - kHashBytes), seed_of(run_))) {
      // Blocks that the disk never got read as zeros.
      if (is_zero_from(offset + kRecordHeadBytes)) return std::nullopt;
      damaged(offset, "no record begins here");
    }
    if (length > WriteAheadLog::kMaxPayloadBytes) damaged(offset, "a record that is too long");
    const std::size_t whole = kRecordHeadBytes + length + kRecordTailBytes;
    if (left < whole) return std::nullopt;
    const Bytes record = read(offset, whole);
    ByteReader tail(record.last(kRecordTailBytes));
    const auto hash = tail.number<std::uint64_t>();
    if (hash != hash64(record.first(whole - kRecordTailBytes), seed_of(run_)) ||
        tail.number<std::uint32_t>() != kEndMark) {
      if (is_zero_from(offset + whole - 1)) return std::nullopt;
      damaged(offset, fmt::format("record {} is not what was written", sequence));
    }
    if (sequence != expected) {
      damaged(offset, fmt::format("record {} stands where {} should", sequence, expected));
    }
    return LogRecord{sequence, type, record.subspan(kRecordHeadBytes, length)};
  }

  bool is_zero_from(std::uint64_t offset) {
    constexpr std::size_t kStep = std::size_t{1} << 16U;
    std::vector<std::byte> part(kStep);
    for (; offset < size_; offset += kStep) {
      if (!is_zero(Bytes(part).first(file_.read(offset, part)))) return false;
    }
    return true;
  }

  Bytes read(std::uint64_t offset, std::size_t bytes) {
    buffer_.resize(bytes);
    return Bytes(buffer_).first(file_.read(offset, buffer_));
  }

  const SegmentFile& segment_;
  const RunId& run_;
  DurableFile file_;
  std::uint64_t size_;
  std::vector<std::byte> buffer_;
};

}  // namespace

std::vector<std::byte> encode_header(const RunId& run, Sequence first) {
  ByteWriter writer;
  writer.number(kMagic).number(kVersion).number(std::uint32_t{kHeaderBytes}).raw(run).number(first);
  return writer.number(hash64(writer.bytes())).bytes();
}

std::vector<std::byte> encode_record(const RunId& run, const LogRecord& record) {
  ByteWriter writer;
  writer.number(static_cast<std::uint32_t>(record.payload.size()))
      .number(record.type)
      .number(std::uint16_t{0})
      .number(record.sequence);
  writer.number(hash64(writer.bytes(), seed_of(run))).raw(record.payload);
  return writer.number(hash64(writer.bytes(), seed_of(run))).number(kEndMark).bytes();
}

std::filesystem::path segment_path(const std::filesystem::path& folder, Sequence first) {
  return folder / fmt::format("{}{:020}{}", kPrefix, first, kSuffix);
}

std::vector<SegmentFile> list_segments(const std::filesystem::path& folder) {
  std::vector<SegmentFile> segments;
  if (!std::filesystem::exists(folder)) return segments;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    SegmentFile segment{.path = entry.path()};
    const char* end = name.data() + name.size() - kSuffix.size();
    const auto parsed = std::from_chars(name.data() + kPrefix.size(), end, segment.first);
    if (parsed.ec == std::errc() && parsed.ptr == end) segments.push_back(std::move(segment));
  }
  std::sort(segments.begin(), segments.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return segments;
}

SegmentEnd scan_segment(const SegmentFile& segment, const RunId& run, const LogVisitor& visitor) {
  return Scanner(segment, run).run(visitor);
}

}  // namespace convoy::scheduler::journal::internal
