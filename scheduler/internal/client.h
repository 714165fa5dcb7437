// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "scheduler/actions.h"
#include "scheduler/speed_estimator.h"

namespace convoy::scheduler::internal {

/// What a policy knows of one client.
struct Client {
  enum class State : std::uint8_t {
    kIdle,      ///< joined, without work: FedAvg's next round has not begun
    kTraining,  ///< assigned; its update is awaited
    kWaiting,   ///< its update has arrived, the answer must wait for others
    kEvicted,   ///< assigned; nobody waits for its update
    kLeft,      ///< gone; an update that it delivered may still be pending
  };

  ClientId id = 0;
  std::int64_t samples = 1;
  State state = State::kIdle;
  std::int64_t round = -1;  ///< of the newest assignment
  std::int64_t version = 0;
  std::int64_t assigned = 0;          ///< local steps
  double start = 0.0;                 ///< when they were assigned
  double deadline = 0.0;              ///< when it is evicted; infinite for never
  RoundTime pace;                     ///< what was known of its speed then; else 0
  std::optional<std::int64_t> group;  ///< FedCompass: the group that it trains or waits in
  SpeedEstimator speed;

  [[nodiscard]] bool takes_part() const {
    return state != State::kEvicted && state != State::kLeft;
  }
  /// How long this round was expected to take; 0 where the speed was not known.
  [[nodiscard]] double expected_seconds() const { return pace.of(static_cast<double>(assigned)); }
};

/// The clients in the order in which they joined. References stay valid.
class Roster {
 public:
  using Index = std::size_t;

  [[nodiscard]] Client* find(ClientId id) {
    const auto found = index_.find(id);
    return found == index_.end() ? nullptr : &clients_[found->second];
  }
  [[nodiscard]] const Client* find(ClientId id) const {
    const auto found = index_.find(id);
    return found == index_.end() ? nullptr : &clients_[found->second];
  }
  Client& add(Client client) {
    index_.emplace(client.id, clients_.size());
    return clients_.emplace_back(std::move(client));
  }
  [[nodiscard]] Client& at(ClientId id) { return clients_[index_.at(id)]; }
  [[nodiscard]] const std::deque<Client>& all() const { return clients_; }
  [[nodiscard]] std::deque<Client>& all() { return clients_; }

 private:
  std::deque<Client> clients_;
  std::unordered_map<ClientId, Index> index_;
};

/// An update that has arrived and waits for its aggregation.
struct Pending {
  ClientId client = 0;
  std::int64_t round = 0;
  std::int64_t version = 0;
  std::int64_t local_steps = 0;
};

}  // namespace convoy::scheduler::internal
