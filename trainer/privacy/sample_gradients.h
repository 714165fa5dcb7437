// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/models/model.h"
#include "trainer/privacy/entropy.h"
#include "trainer/privacy/noisy_sum.h"

namespace convoy::trainer::privacy {

struct SampleGradientsConfig {
  bool augment = false;
  std::string amp = "none";  ///< as TrainConfig::amp
};

/// Adds the clipped gradient of each of `samples` to `sum`, one forward and backward each: LibTorch
/// has no gradients by sample in C++. Parameters that a loss does not reach count as zeros. Dropout
/// and augmentation draw from `entropy`. Leaves no gradients behind.
void add_sample_gradients(Model& model, const Dataset& dataset,
                          std::span<const std::int64_t> samples,
                          const SampleGradientsConfig& config, Entropy& entropy, NoisySum& sum);

/// Makes `values` times `factor` the gradients of the model's parameters.
void put_gradients(Model& model, std::span<const double> values, double factor);

/// All values, one tensor after the other; zeros for one that is not defined.
/// @param like  how many values each has.
[[nodiscard]] std::vector<float> flat_values(const std::vector<torch::Tensor>& tensors,
                                             const std::vector<NamedTensor>& like);

}  // namespace convoy::trainer::privacy
