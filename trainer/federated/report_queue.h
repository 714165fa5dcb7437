// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <optional>

#include "trainer/federated/client_pool.h"

namespace convoy::trainer {

/// Reports that have come in and wait for the server. Any thread puts, one thread takes.
class ReportQueue {
 public:
  /// @param arrived  when its last byte was there. @param not_before  earliest time to hand it out.
  void put(ClientReport report, WallTime arrived, WallTime not_before);
  /// Whoever takes next gets this exception, and so does everybody after.
  void fail(std::exception_ptr error);
  /// @throws what fail() was given.
  void rethrow_error();

  /// The report that may be handed out first, or nothing when there is none until `until`.
  /// @throws what fail() was given.
  [[nodiscard]] std::optional<ClientReport> next(WallTime until);
  /// This client's, whatever not_before says. @throws as next().
  [[nodiscard]] std::optional<ClientReport> of(std::int64_t client, WallTime until);

 private:
  struct Entry {
    WallTime not_before;
    ClientReport report;
  };
  using Entries = std::map<std::int64_t, Entry>;

  [[nodiscard]] Entries::iterator earliest();
  [[nodiscard]] ClientReport take(Entries::iterator found);
  void rethrow() const;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  Entries entries_;  ///< by client
  std::exception_ptr error_;
};

}  // namespace convoy::trainer
