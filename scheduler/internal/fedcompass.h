// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <vector>

#include "scheduler/internal/base_policy.h"
#include "scheduler/internal/group_book.h"

namespace convoy::scheduler::internal {

/// Gives every client as many local steps as make it report together with others. Paper:
/// FedCompass, arXiv 2309.14675. Decides as its published code does, except that no update is lost,
/// no group is stranded, and dead clients are given up (docs/scheduling.md lists every difference).
class FedCompass final : public BasePolicy {
 public:
  explicit FedCompass(const PolicyConfig& config);

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
  void do_save(Json& json) const override;
  void do_load(const Json& json) override;

  void arrive_on_time(Client& client, const Pending& update);
  void arrive_late(Client& client, const Pending& update);
  void leave_group(Client& client, Trigger trigger);
  void aggregate_group(std::int64_t id, Trigger trigger);
  [[nodiscard]] std::vector<Client*> fastest_first(std::vector<Client*> clients) const;
  [[nodiscard]] std::vector<Pending> take_late();
  void assign(Client& client);
  void join_group(Client& client, Group& group, double steps);
  [[nodiscard]] double late_patience() const;

  GroupBook groups_;
  std::vector<Pending> late_;  // in order of arrival
  double late_deadline_ = std::numeric_limits<double>::infinity();
};

}  // namespace convoy::scheduler::internal
