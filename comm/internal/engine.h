// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/errors.h"
#include "comm/communicator.h"
#include "comm/internal/exchange.h"
#include "comm/internal/history.h"
#include "comm/internal/transport.h"

namespace convoy::comm::internal {

/// A CommError whose cause lies with another rank of this process, so that local::run can tell the
/// first failure from those that it caused.
class PeerLeftError : public CommError {
  using CommError::CommError;
};

/// Drives all operations of one communicator over its transport. Whoever waits for or tests one
/// operation moves all of them on, under one mutex; a thread that finds nothing to do polls for a
/// moment and then sleeps in growing naps. Shared by the communicator and its requests.
class Engine : public std::enable_shared_from_this<Engine> {
 public:
  Engine(std::unique_ptr<Transport> transport, const CommunicatorOptions& options);

  [[nodiscard]] const Layout& layout() const { return layout_; }
  [[nodiscard]] std::string_view backend() const { return transport_->backend(); }
  [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }
  [[nodiscard]] bool poisoned() const { return poisoned_; }

  /// Of operations made later.
  void set_chunk_bytes(std::size_t bytes);
  /// See Communicator::reserve().
  [[nodiscard]] std::uint64_t reserve(int count, PlaceFor what);
  /// Starts an operation; collectives get their place as sequence number.
  /// @return null when it is complete already. @throws CommError; ContractError for a place that is
  /// not reserved, or used.
  [[nodiscard]] std::unique_ptr<Operation> start(std::shared_ptr<Exchange> exchange,
                                                 Turn turn = {});
  /// Those who wait ask again whether they have to.
  void wake() { transport_->wakeup().signal(); }
  /// See Communicator::give_up().
  void give_up(const std::string& why) noexcept;
  /// Later collectives carry it.
  void set_context(std::uint32_t context) { context_ = context; }
  /// The communicator is being destroyed: operations still under way fail.
  void close();
  [[nodiscard]] std::vector<std::uint8_t> prepare_split();
  [[nodiscard]] std::unique_ptr<Transport> split(const SplitGroup& group);

 private:
  class Handle;

  bool test(Exchange& exchange);
  bool poll(Exchange& exchange);
  bool wait(Exchange& exchange, std::chrono::milliseconds timeout,
            const std::function<bool()>& enough, std::chrono::microseconds longest_nap);
  void abandon(Exchange& exchange) noexcept;

  // The following need mutex_.
  [[nodiscard]] std::uint64_t place_of(const Exchange& exchange, std::uint64_t reserved);
  /// False for a sum through shared memory while a sum with an earlier place has not begun.
  [[nodiscard]] bool may_begin(const Exchange& exchange);
  void progress();
  void advance(Exchange& exchange);
  void advance_all();
  void flush();
  [[nodiscard]] static bool is_over(const Exchange& exchange);
  /// Looks at what ranks of this host say about themselves: who has left, who calls what else.
  void watch_peers();
  /// One line about the last calls of this rank, and one about each rank not heard of in `failed`.
  void log_last_calls(const Exchange& failed);
  [[nodiscard]] bool is_silent(int rank, const Exchange& failed) const;
  void fail(Exchange& exchange, const std::string& why, bool by_peer);
  void poison(const std::string& why);
  /// True when no message under way can be written into memory that is gone by then.
  [[nodiscard]] bool may_leave() const;

  std::mutex mutex_;
  ScratchPool scratch_;
  std::unique_ptr<Transport> transport_;
  CommunicatorOptions options_;
  Layout layout_;
  // Shared with their requests; kept once poisoned. The most urgent first, then the oldest.
  std::vector<std::shared_ptr<Exchange>> active_;
  std::uint64_t collectives_ = 0;  // places given so far
  // Ascending: places of sums that have not begun, and other reserved ones.
  std::vector<std::uint64_t> open_sums_;
  std::vector<std::uint64_t> open_others_;
  std::uint64_t user_calls_ = 0;
  std::atomic<std::uint32_t> context_{0};
  History history_;
  std::vector<std::uint64_t> heard_in_;  // by rank: its last collective that data came from
  std::chrono::steady_clock::time_point progressed_{};  // when test() last moved everything on
  std::string poison_;                                  // why, once poisoned_
  std::atomic<bool> poisoned_{false};
  std::atomic<std::uint64_t> bytes_sent_{0};
};

}  // namespace convoy::comm::internal
