// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/federated/model_update.h"
#include "trainer/models/model.h"
#include "trainer/summary.h"

namespace convoy::trainer {

/// A global model that was evaluated.
struct EvaluatedModel {
  double time = 0.0;         ///< of the federation's clock
  std::int64_t version = 0;  ///< of the model
  std::int64_t updates = 0;  ///< that had reached the server
  Evaluation found;
};

/// Evaluates global models on a thread of its own: clients are answered meanwhile. One at a time.
class ServerEvaluation {
 public:
  /// Borrows `dataset`. @param model  to evaluate with.
  ServerEvaluation(std::unique_ptr<Model> model, const Dataset& dataset, std::int64_t batch_size);

  [[nodiscard]] bool running() const { return future_.valid(); }
  /// Starts to evaluate `state`, which `about` describes. Not while one is running.
  void start(SharedState state, EvaluatedModel about);
  /// What was started, when it is done. @param wait  until it is. @throws what evaluating threw.
  [[nodiscard]] std::optional<EvaluatedModel> take(bool wait);

 private:
  std::unique_ptr<Model> model_;
  const Dataset& dataset_;
  std::int64_t batch_size_;
  std::vector<std::int64_t> samples_;
  std::future<EvaluatedModel> future_;  ///< last: it is waited for before anything else goes
};

}  // namespace convoy::trainer
