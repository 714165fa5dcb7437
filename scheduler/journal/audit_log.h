// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "scheduler/journal/write_ahead_log.h"

namespace convoy::scheduler::journal {

namespace internal {
class DurableFile;
}

/// One line of the audit log.
struct AuditEvent {
  /// What it follows from: an entry of the log, and which of its consequences. Grows from event to
  /// event, so that a replay after a crash does not write one twice.
  Sequence input = 0;
  std::int64_t part = 0;
  double time = 0.0;  ///< of the run's clock
  std::string event;  ///< "contribution", "refusal", "join", "leave", "command", ...
  std::string site;
  // Of contributions; left out where there is none.
  std::string update{};  ///< its id
  std::optional<Sha256> sha256{};
  std::optional<std::int64_t> version{};  ///< of the model that it became part of
  std::optional<std::int64_t> samples{};
  std::optional<std::int64_t> steps{};
  std::optional<double> weight{};
  std::optional<double> epsilon{};  ///< that the site has spent so far
  std::string text{};               ///< a reason, a command
};

/// A line as read back.
struct AuditRecord {
  std::int64_t number = 0;  ///< from 0
  std::string at;           ///< wall-clock time, ISO 8601, UTC
  AuditEvent event;
  Sha256 previous{};  ///< zeros for the first
  Sha256 hash{};
};

/// What a verification has shown.
struct AuditCheck {
  std::vector<std::string> findings;  ///< one line each that names the record; none: all is well
  std::optional<AuditRecord> newest;  ///< the last record that can be read
  std::uint64_t torn_bytes = 0;       ///< a last line without its end, which a crash leaves
  std::uint64_t whole_bytes = 0;      ///< before that
};

/// Checks every record against its own hash and against the one that its successor remembers. In
/// one pass that holds one record.
/// @param head  a hash that was remembered elsewhere: a record with it must be there. Without one,
///         records cut off at the end cannot be missed.
/// @param each  gets every record that can be read, in the file's order.
/// @throws ConfigError if the file cannot be read.
[[nodiscard]] AuditCheck check_audit(const std::filesystem::path& file,
                                     const std::optional<Sha256>& head,
                                     const std::function<void(const AuditRecord&)>& each = {});

/// Who contributed what, when, and with which weight, as JSON lines, each of which holds the hash
/// of the one before. Only ever grows. One thread.
class AuditLog {
 public:
  /// Opens or makes it, and cuts off a torn last line.
  /// @param head  as for check_audit(): head() at the newest checkpoint.
  /// @throws DamageError with the first finding; StorageError.
  explicit AuditLog(std::filesystem::path file, const std::optional<Sha256>& head = std::nullopt);
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  /// @return false, and writes nothing, where this event or a later one is there already.
  bool append(const AuditEvent& event);
  /// What was appended survives a power failure from here on.
  void sync();
  /// Names all records so far: keep it where whoever changes the file cannot change it too.
  [[nodiscard]] const std::optional<Sha256>& head() const { return head_; }
  [[nodiscard]] std::int64_t records() const { return next_; }

 private:
  std::unique_ptr<internal::DurableFile> file_;
  std::int64_t next_ = 0;
  std::optional<std::pair<Sequence, std::int64_t>> newest_;
  std::optional<Sha256> head_;
};

}  // namespace convoy::scheduler::journal
