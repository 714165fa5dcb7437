// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "trainer/data/dataset.h"
#include "trainer/federated/client_data.h"
#include "trainer/federated/model_update.h"
#include "trainer/federated/plain_rounds.h"
#include "trainer/federated/round_rule.h"
#include "trainer/models/model.h"
#include "trainer/optim/optim_config.h"
#include "trainer/summary.h"

namespace convoy::trainer {

/// How every client trains.
struct LocalTrainingConfig {
  OptimizerConfig optimizer;
  /// Its steps are updates of all clients that have reached the server: the rate of a round is that
  /// of the moment when it was assigned, and stays for the round.
  ScheduleConfig schedule;
  std::int64_t total_updates = 0;  ///< of the run, for schedules that need it; 0: not known
  double clip_norm = 0.0;          ///< of a step's gradient; 0: none
  /// FedProx (arXiv:1812.06127): the loss grows by proximal/2 * |w - start|^2. Larger: clients
  /// stray less from the model that they were given. 0: off.
  double proximal = 0.0;
  bool augment = false;
  std::string amp = "none";  ///< as TrainConfig::amp
  std::int64_t evaluate_batch = 256;
};

/// What a site has spent of its privacy budget, this round included.
struct PrivacyReport {
  double epsilon = 0.0;
  std::int64_t steps = 0;  ///< in its ledger
  /// The budget allows no further step: the site leaves.
  bool leaves = false;
};

/// What came of one round of one client.
struct LocalResult {
  ModelUpdate update;        ///< client, version and arrival are left to the caller
  std::int64_t steps = 0;    ///< done; may be 0 where a RoundRule allows none
  std::int64_t samples = 0;  ///< trained on in this round, repeats counted
  double loss = 0.0;   ///< mean over these samples, each at its step; NaN where it is not told
  bool finite = true;  ///< no loss and no value of the update is infinite or NaN
  std::optional<Evaluation> validation;  ///< of the trained model on the client's own share
  std::optional<PrivacyReport> privacy;
};

/// Asked between two steps of a round: false ends it there. Empty: always true.
using KeepGoing = std::function<bool()>;

/// Trains a client's model. Serves one client after the other: nothing of a client stays behind, as
/// the optimizer is new in every round and dropout is seeded batch by batch from the client's key.
/// So a round gives the same bits whichever trainer does it, and whatever ran there before.
/// One thread at a time; models that draw from LibTorch's process-wide generator (see
/// Model::draws_from_shared_generator) one at a time in the whole process.
class LocalTrainer {
 public:
  /// Borrows `dataset`. Trains where the model is; what run() returns lies in the host's memory.
  /// @throws ConfigError for an impossible optimizer.
  LocalTrainer(std::unique_ptr<Model> model, const Dataset& dataset, LocalTrainingConfig config);

  /// Makes `steps` steps from `start` on the client's next batches. A loss that is not finite ends
  /// the round: then steps done are fewer, and finite is false. So does `keep_going`, and
  /// then the model is not validated.
  /// @param updates  that had reached the server when the round was assigned.
  /// @param rule  the client's; null: plain rounds. Its steps may be fewer than asked for.
  [[nodiscard]] LocalResult run(ClientData& client, const ModelState& start, std::int64_t steps,
                                const KeepGoing& keep_going = {}, std::int64_t updates = 0,
                                RoundRule* rule = nullptr);

  /// The learning rate of a round that was assigned when `updates` had reached the server.
  [[nodiscard]] double round_rate(std::int64_t updates) const;

  [[nodiscard]] const Model& model() const { return *model_; }

 private:
  void add_proximal_term(const ModelState& start);

  std::unique_ptr<Model> model_;
  const Dataset& dataset_;
  LocalTrainingConfig config_;
  std::vector<NamedTensor> parameters_;
  PlainRounds plain_;
};

}  // namespace convoy::trainer
