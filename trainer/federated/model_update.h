// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "trainer/models/model.h"

namespace convoy::trainer {

/// The values of a model at one moment, in the order of Model::parameters() and buffers(). Shared
/// by all who started from it, so never changed once it is made.
struct ModelState {
  std::vector<torch::Tensor> parameters;
  std::vector<torch::Tensor> buffers;
};
// Shared by the server, clients that are training from it and updates that wait.
using SharedState = std::shared_ptr<const ModelState>;

/// A copy of what `model` holds.
[[nodiscard]] ModelState copy_state(const Model& model);
/// Writes `state` into `model`.
void put_state(const ModelState& state, Model& model);

/// What a client sends back after its local steps.
struct ModelUpdate {
  std::int64_t client = 0;
  std::int64_t version = 0;            ///< of the model that it started from
  std::int64_t arrival = 0;            ///< number of the update among all that reached the server
  std::vector<torch::Tensor> delta;    ///< trained minus start, for each parameter
  std::vector<torch::Tensor> buffers;  ///< as trained, for each buffer
};

/// True when no value of the update is infinite or NaN. Reads it once.
[[nodiscard]] bool is_finite(const ModelUpdate& update);

/// True when the update has a tensor of the same shape and type for each of `state`'s.
[[nodiscard]] bool fits(const ModelUpdate& update, const ModelState& state);

/// Bytes of all elements.
[[nodiscard]] std::size_t bytes_of(const std::vector<torch::Tensor>& tensors);
[[nodiscard]] inline std::size_t bytes_of(const ModelState& state) {
  return bytes_of(state.parameters) + bytes_of(state.buffers);
}
[[nodiscard]] inline std::size_t bytes_of(const ModelUpdate& update) {
  return bytes_of(update.delta) + bytes_of(update.buffers);
}

}  // namespace convoy::trainer
