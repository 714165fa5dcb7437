// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "trainer/federated/model_update.h"
#include "trainer/federated/server_optimizer.h"

namespace convoy::trainer {

/// The global model, and how updates change it:
///
///   w = w + optimizer(sum c_i delta_i)        parameters
///   b = (1 - sum c_i) b + sum c_i b_i         floating-point buffers, sum c_i capped at 1
///   b = b_i of the highest start version, then the latest arrival      integer buffers
///
/// The c_i come from outside (scheduler/aggregation_weights.h). Updates are added up as they are
/// given, in that order, and not kept: the memory is the model, one sum of its size, and the
/// optimizer's. Buffers travel as values, because a stale difference can make a variance negative.
/// One thread.
class Aggregator {
 public:
  /// Version 0 is a copy of what `model` holds. @throws ConfigError.
  Aggregator(const Model& model, const ServerOptimizerConfig& optimizer);

  /// The current model. A new object for every version, so that whoever holds it keeps its version.
  [[nodiscard]] const SharedState& model() const { return model_; }
  /// How often the model has changed.
  [[nodiscard]] std::int64_t version() const { return version_; }

  /// Adds `coefficient` times the update's difference to the step. The first add() after finish()
  /// begins a new step.
  void add(const ModelUpdate& update, double coefficient);
  /// FedAsync's w = (1 - c) w + c x, where x is the trained model: the same as add() when the
  /// update started from the current version.
  void mix(const ModelUpdate& update, const ModelState& start, double coefficient);
  /// Applies the step, each coefficient times `scale`, and makes the next version.
  /// @throws ContractError when nothing has been added.
  void finish(double scale = 1.0);

  /// Model and optimizer by name: "parameter/<name>", "buffer/<name>", "optimizer/<name>/m";
  /// between add() and finish() what has been added up too: "sum/parameter/<name>", ...
  /// None of them changes later.
  [[nodiscard]] std::vector<NamedTensor> state() const;
  /// @throws ConfigError that names what is missing or of another shape.
  void load_state(const std::vector<NamedTensor>& state, std::int64_t version);
  /// Of the model, the sum and the optimizer.
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  void begin();
  void load_sums(const std::map<std::string, torch::Tensor>& given);
  void add_buffers(const ModelUpdate& update, double coefficient);
  [[nodiscard]] std::vector<torch::Tensor> new_buffers(double scale) const;

  std::vector<std::string> parameter_names_;
  std::vector<std::string> buffer_names_;
  ServerOptimizer optimizer_;
  SharedState model_;
  std::int64_t version_ = 0;

  bool adding_ = false;
  std::vector<torch::Tensor> step_;         ///< sum c_i delta_i, at least float32
  std::vector<torch::Tensor> buffer_sums_;  ///< sum c_i b_i of floating ones; integer: the chosen
  double coefficients_ = 0.0;               ///< sum c_i
  std::pair<std::int64_t, std::int64_t> newest_;  ///< version and arrival of the chosen integers
};

}  // namespace convoy::trainer
