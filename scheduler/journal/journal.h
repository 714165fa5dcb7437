// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "scheduler/journal/entries.h"
#include "scheduler/journal/run_clock.h"
#include "scheduler/journal/write_ahead_log.h"

namespace convoy::scheduler::journal {

/// The id that `file` holds; a new one, written there, where there is no such file.
/// @throws DamageError where the file holds something else; StorageError.
[[nodiscard]] RunId run_id_in(const std::filesystem::path& file);

struct JournalOptions {
  /// Ids of a site's updates that are remembered, so that one that comes again is acknowledged and
  /// not taken twice. The scheduler refuses older ones as out of round.
  std::size_t ids_per_site = 1024;
  RunClock::Source clock;  ///< empty: the system's
  /// The log was lost, and an operator wants to go on from the checkpoint without it: its entries
  /// since then are gone. The folder must hold no segments; the run id may be another. Numbers go
  /// on where the checkpoint ends; make one as soon as the journal is there.
  bool without_old_log = false;
};

/// All that a scheduler was told, on stable storage before anybody learns what came of it.
///
/// State after a restart = checkpoint, then every entry that the constructor hands out, through the
/// same Policy. While it runs: record() an entry, give it to the Policy, sync(), and only then let
/// the actions leave the process. A checkpoint holds save() beside the Policy's own state, and
/// checkpoint_is_durable() drops what it contains.
///
/// One thread, but for sync() and durable().
class Journal {
 public:
  using Visitor = std::function<void(Sequence, const Entry&)>;

  /// @param saved  save() of the newest checkpoint; empty: from the beginning.
  /// @param visitor  gets all entries since then, in order, clock entries too.
  /// @throws as WriteAheadLog; DamageError for entries that are none; ConfigError where `saved` is
  ///         of another run.
  Journal(std::filesystem::path folder, const RunId& run, const std::string& saved,
          const Visitor& visitor, JournalOptions options = {});

  /// Starts the clock and makes that durable. Before the first record().
  void start();
  /// The end in good order: tells the log how late it was, and makes all durable.
  void stop();

  /// @throws ContractError for an update whose id is known: ask find() before.
  Sequence record(const Entry& entry);
  void sync(Sequence sequence) { log_.sync(sequence); }
  [[nodiscard]] Sequence durable() const { return log_.durable(); }

  /// The number of the entry that brought this update, if one is remembered. When it is durable the
  /// update may be acknowledged (again).
  [[nodiscard]] std::optional<Sequence> find(std::string_view site, std::string_view id) const;

  [[nodiscard]] const RunClock& clock() const { return clock_; }
  [[nodiscard]] const WriteAheadLog& log() const { return log_; }

  /// Everything up to here is in the checkpoint that is being made; what comes after is not. Makes
  /// all of it durable.
  [[nodiscard]] std::string save();
  /// The checkpoint with this save() is on stable storage.
  void checkpoint_is_durable(const std::string& saved);

 private:
  struct SiteUpdates {
    std::unordered_map<std::string, Sequence> by_id;
    std::deque<std::string> order;  ///< oldest first
  };

  Sequence load(const std::string& saved);
  void take(Sequence sequence, const Entry& entry);
  void remember(const std::string& site, const std::string& id, Sequence sequence);

  RunId run_;
  JournalOptions options_;
  RunClock clock_;
  std::map<std::string, SiteUpdates, std::less<>> updates_;
  WriteAheadLog log_;  // the last one: opening it fills the others
};

}  // namespace convoy::scheduler::journal
