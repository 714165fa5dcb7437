// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "trainer/federated/client_end.h"
#include "trainer/federated/client_pool.h"
#include "trainer/federated/report_queue.h"

namespace convoy::trainer {

/// Clients that train on threads of this process. Clients are data, not threads: `workers` threads
/// with a model each train whichever assignment is due first, so that thousands of clients need
/// the memory of a few models, and results do not depend on the number of workers.
class ThreadClients final : public ClientPool {
 public:
  using MakeTrainer = std::function<std::unique_ptr<LocalTrainer>()>;
  using MakeRule = std::function<std::unique_ptr<RoundRule>(std::int64_t client)>;

  /// Calls `make_trainer` once a worker, here.
  /// @param codec  of updates; null: dense. Borrowed.
  /// @param make_rule  called once a client, here; empty: their rounds are plain.
  ThreadClients(const MakeTrainer& make_trainer, int workers, std::vector<ClientData> clients,
                const compress::UpdateCodec* codec, const MakeRule& make_rule = {});
  /// Waits for the steps that are under way.
  ~ThreadClients() override;

  void start(Assignment assignment) override;
  [[nodiscard]] std::optional<ClientReport> report_of(std::int64_t client,
                                                      WallTime until) override {
    return handed_out(reports_.of(client, until));
  }
  [[nodiscard]] std::optional<ClientReport> next(WallTime until) override {
    return handed_out(reports_.next(until));
  }
  void take_back(std::int64_t client) override;
  void stop() override;
  void ask_for_residuals() override;
  [[nodiscard]] std::optional<std::vector<NamedTensor>> residuals() override { return residuals_; }
  void restore_residuals(const std::vector<NamedTensor>& residuals) override;

 private:
  void work(LocalTrainer& trainer, const std::stop_token& stop);
  [[nodiscard]] ClientReport train(LocalTrainer& trainer, const Assignment& assignment,
                                   const std::stop_token& stop);
  [[nodiscard]] std::optional<ClientReport> handed_out(std::optional<ClientReport> report);

  const compress::UpdateCodec* codec_;
  std::vector<ClientEnd> clients_;
  std::vector<std::unique_ptr<LocalTrainer>> trainers_;
  std::vector<NamedTensor> residuals_;  ///< when they were asked for
  ReportQueue reports_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable_any work_arrived_;
  std::multimap<double, Assignment> waiting_;  ///< by due

  std::vector<std::jthread> threads_;  ///< last: they end before anything else goes
};

}  // namespace convoy::trainer
