// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "scheduler/journal/write_ahead_log.h"

// One file of a log, byte by byte as docs/durability.md says.

namespace convoy::scheduler::journal::internal {

/// The last record of a segment that another one follows.
inline constexpr std::uint16_t kEndOfSegment = 0xffff;

[[nodiscard]] std::vector<std::byte> encode_header(const RunId& run, Sequence first);
[[nodiscard]] std::vector<std::byte> encode_record(const RunId& run, const LogRecord& record);

[[nodiscard]] std::filesystem::path segment_path(const std::filesystem::path& folder,
                                                 Sequence first);

struct SegmentFile {
  Sequence first = 0;  ///< by its name
  std::filesystem::path path;
};
/// Oldest first. None where there is no folder.
[[nodiscard]] std::vector<SegmentFile> list_segments(const std::filesystem::path& folder);

struct SegmentEnd {
  Sequence next = 0;
  std::uint64_t bytes = 0;  ///< up to here it is whole
  std::uint64_t torn = 0;   ///< bytes behind that
  bool is_closed = false;
};
/// @throws DamageError, ConfigError, StorageError as read_log(). A torn tail is no error here.
[[nodiscard]] SegmentEnd scan_segment(const SegmentFile& segment, const RunId& run,
                                      const LogVisitor& visitor);

}  // namespace convoy::scheduler::journal::internal
