// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "scheduler/internal/base_policy.h"

namespace convoy::scheduler::internal {

/// Nobody ever waits: every update is answered at once, and every `buffer_size` of them make a new
/// model. With one that is FedAsync (arXiv 1903.03934), with more FedBuff (arXiv 2106.06639).
class Asynchronous final : public BasePolicy {
 public:
  using BasePolicy::BasePolicy;

 private:
  void do_join(Client& client) override { assign(client); }
  void do_update(Client& client, Arrival arrival, const Pending& update) override;
  void do_fail(Client& client) override { assign(client); }
  void do_depart(Client& /*client*/) override {}
  void do_flush(Flush& flush, std::vector<Pending>& members) override;
  [[nodiscard]] double do_weight(const Pending& update, std::int64_t staleness,
                                 std::int64_t sum_samples) override;
  [[nodiscard]] std::optional<double> do_weight_on_arrival(const Client& client) const override;
  void do_save(Json& json) const override;
  void do_load(const Json& json) override;

  [[nodiscard]] bool is_fedasync() const { return config().algorithm == Algorithm::kFedAsync; }
  [[nodiscard]] double weight_of(std::int64_t staleness) const;
  void assign(Client& client) { give(client, config().max_local_steps); }

  std::vector<Pending> buffer_;  // in order of arrival
};

}  // namespace convoy::scheduler::internal
