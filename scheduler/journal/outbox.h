// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/sha256.h"
#include "scheduler/journal/folder_lock.h"

namespace convoy::scheduler::journal {

namespace internal {
class DurableFile;
}

/// An update as a client is about to send it. Borrows everything.
struct OutgoingUpdate {
  std::string id;
  std::string facts;                    ///< round, steps done, ...: the caller's text
  std::span<const std::byte> update;    ///< as encoded: the very bytes that go out
  std::span<const std::byte> residual;  ///< what the encoding owes, after this update
  /// What this update costs, for the privacy ledger.
  std::span<const std::byte> ledger_entry;
};

/// One that was stored.
struct StoredUpdate {
  std::string id;
  std::string facts;
  std::uint64_t bytes = 0;
  Sha256 sha256{};  ///< of the update's bytes
  std::uint64_t residual_bytes = 0;
  bool is_settled = false;  ///< the server has it, or has refused it
};

/// Where a client keeps its newest update, with the residual and the ledger entry that belong to
/// it: one file, replaced by one rename, so that after a crash either all three are there or none.
/// The same bytes are sent again then, and never others. One thread, one process.
class Outbox {
 public:
  /// Writes one entry into the site's privacy ledger, durably; where an entry of this id stands
  /// there already, nothing. That ledger lies elsewhere and serves other jobs too, so it gets
  /// entries and never a whole state.
  using Ledger = std::function<void(const std::string& id, std::span<const std::byte> entry)>;

  /// Reads what is there, checks all of it, and repeats its ledger entry: the last run may have
  /// died before it got there. @param ledger  empty: entries are only kept here.
  /// @throws DamageError, StorageError; ConfigError where another process has the folder or the
  /// file
  ///         is of a newer format.
  explicit Outbox(std::filesystem::path folder, Ledger ledger = {});
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  /// When it returns, the update may be sent: it is on stable storage, and in the ledger.
  /// @throws ContractError while an unsettled one is here, whose bytes may have left; ConfigError
  ///         for an id that is not allowed; StorageError, and then the old one is still here.
  void store(const OutgoingUpdate& outgoing);

  /// The newest one. After a restart an unsettled one must be sent (again) before anything else.
  [[nodiscard]] const std::optional<StoredUpdate>& stored() const { return stored_; }

  /// Fills `out` with the update's bytes from `offset` on; returns how many there were.
  std::size_t read_update(std::uint64_t offset, std::span<std::byte> out) const;
  std::size_t read_residual(std::uint64_t offset, std::span<std::byte> out) const;

  /// The server has acknowledged or refused it: the next may be stored. A crash before this only
  /// makes the client ask again.
  void settle(const std::string& id);

 private:
  [[nodiscard]] std::filesystem::path file_path() const { return folder_ / "update"; }
  [[nodiscard]] std::filesystem::path settled_path() const { return folder_ / "settled"; }
  void open_stored();
  void check_part(std::uint64_t offset, std::uint64_t bytes, const Sha256& expected,
                  const char* what) const;
  void repeat_ledger_entry(std::uint64_t offset, std::uint64_t bytes) const;
  std::size_t read_part(std::uint64_t begin, std::uint64_t bytes, std::uint64_t offset,
                        std::span<std::byte> out) const;

  const std::filesystem::path folder_;
  Ledger ledger_;
  FolderLock lock_;
  std::unique_ptr<internal::DurableFile> file_;
  std::optional<StoredUpdate> stored_;
  std::uint64_t update_offset_ = 0;  // in the file
};

}  // namespace convoy::scheduler::journal
