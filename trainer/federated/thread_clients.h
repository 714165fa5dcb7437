// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "trainer/federated/client_end.h"
#include "trainer/federated/client_pool.h"

namespace convoy::trainer {

/// Clients that train on threads of this process. Clients are data, not threads: `workers` threads
/// with a model each train whichever assignment is due first, so that thousands of clients need
/// the memory of a few models, and results do not depend on the number of workers.
class ThreadClients final : public ClientPool {
 public:
  using MakeTrainer = std::function<std::unique_ptr<LocalTrainer>()>;

  /// Calls `make_trainer` once a worker, here.
  /// @param codec  of updates; null: dense. Borrowed.
  ThreadClients(const MakeTrainer& make_trainer, int workers, std::vector<ClientData> clients,
                const compress::UpdateCodec* codec);
  /// Waits for the steps that are under way.
  ~ThreadClients() override;

  void start(Assignment assignment) override;
  [[nodiscard]] ClientReport wait_for(std::int64_t client) override;
  [[nodiscard]] std::optional<ClientReport> next(WallTime until) override;
  void take_back(std::int64_t client) override;
  [[nodiscard]] std::vector<NamedTensor> residuals() override;
  void restore_residuals(const std::vector<NamedTensor>& residuals) override;

 private:
  struct Done {
    ClientReport report;
    WallTime not_before;
    std::exception_ptr error;
  };
  using DoneByClient = std::map<std::int64_t, Done>;

  void work(LocalTrainer& trainer, const std::stop_token& stop);
  [[nodiscard]] Done train(LocalTrainer& trainer, const Assignment& assignment,
                           const std::stop_token& stop);
  [[nodiscard]] ClientReport take(DoneByClient::iterator found);
  /// The one that may be handed out first.
  [[nodiscard]] DoneByClient::iterator earliest();

  const compress::UpdateCodec* codec_;
  std::vector<ClientEnd> clients_;
  std::vector<std::unique_ptr<LocalTrainer>> trainers_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable_any work_arrived_;
  std::condition_variable work_done_;
  std::multimap<double, Assignment> waiting_;  ///< by due
  DoneByClient done_;

  std::vector<std::jthread> threads_;  ///< last: they end before anything else goes
};

}  // namespace convoy::trainer
