// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/update_bounds.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <cstddef>
#include <vector>

namespace convoy::trainer {
namespace {

double norm_of(const std::vector<torch::Tensor>& tensors) {
  double squares = 0.0;
  for (const auto& tensor : tensors) {
    const double norm = tensor.norm().item<double>();
    squares += norm * norm;
  }
  return std::sqrt(squares);
}

/// Counters are no part of it.
std::vector<torch::Tensor> change_of(const std::vector<torch::Tensor>& buffers,
                                     const std::vector<torch::Tensor>& before) {
  std::vector<torch::Tensor> change;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].is_floating_point()) change.push_back(buffers[i] - before[i]);
  }
  return change;
}

}  // namespace

std::optional<std::string> excess_of(const ModelUpdate& update, const ModelState& model,
                                     const SitesConfig& bounds) {
  if (const double most = bounds.max_update_norm; most > 0.0) {
    const double norm = norm_of(update.delta);
    if (norm > most) {
      return fmt::format("its norm is {:.4g}, over sites.max_update_norm = {:.4g}", norm, most);
    }
  }
  if (const double most = bounds.max_buffer_norm; most > 0.0) {
    const double norm = norm_of(change_of(update.buffers, model.buffers));
    if (norm > most) {
      return fmt::format(
          "the change of its buffers has norm {:.4g}, over sites.max_buffer_norm = {:.4g}", norm,
          most);
    }
  }
  return std::nullopt;
}

}  // namespace convoy::trainer
