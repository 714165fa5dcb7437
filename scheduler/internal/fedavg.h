// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <set>
#include <vector>

#include "scheduler/internal/base_policy.h"

namespace convoy::scheduler::internal {

/// Synchronous rounds: all clients get the same model, and the next one is made when all have
/// reported, or at the deadline with those that have. Updates of a round that is over are refused.
/// Where the end cuts a round off, those that have not reported count as if they had learned
/// nothing: a model of the few that have would be worse than that of the round before.
class FedAvg final : public BasePolicy {
 public:
  using BasePolicy::BasePolicy;

 private:
  void do_join(Client& client) override;
  void do_update(Client& client, Arrival arrival, const Pending& update) override;
  void do_fail(Client& client) override;
  void do_depart(Client& client) override;
  void do_settle() override;
  bool do_timer() override;
  [[nodiscard]] std::optional<double> do_next_timer() const override;
  void do_flush(Flush& flush, std::vector<Pending>& members) override;
  [[nodiscard]] double do_weight(const Pending& update, std::int64_t staleness,
                                 std::int64_t sum_samples) override;
  [[nodiscard]] std::optional<double> do_weight_on_arrival(const Client& client) const override;
  void do_save(Json& json) const override;
  void do_load(const Json& json) override;

  void wait_for_next_round(Client& client);
  void end_round_if_over(Trigger trigger);
  void end_round(Trigger trigger);
  void begin_round();
  void participate(Client& client);
  [[nodiscard]] bool has_enough() const;

  std::set<ClientId> awaited_;     // participants of this round that have not reported
  std::vector<Pending> arrived_;   // of this round, in order of arrival
  std::vector<ClientId> waiting_;  // for the next round, in the order in which they came
  std::int64_t absent_samples_ = 0;  // of participants that the end has cut off
  double deadline_ = std::numeric_limits<double>::infinity();
};

}  // namespace convoy::scheduler::internal
