// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "trainer/data/data_config.h"

namespace convoy::trainer {

/// What a model learns from the targets, and so which loss and metric belong to it.
enum class Task : std::uint8_t {
  kClassify,  ///< targets int64 [B]; logits [B, classes]; cross entropy; accuracy
  kLanguage,  ///< targets int64 [B, T]; logits [B, T, classes]; cross entropy a token; accuracy
  kRegress,   ///< targets float32 [B, 1]; outputs [B, 1]; mean squared error; no accuracy
};

/// Samples that are trained on together. A sample counts as one, also a whole text window.
struct Batch {
  torch::Tensor inputs;   ///< [B, ...] float32, or int64 tokens [B, T]
  torch::Tensor targets;  ///< see Task
  [[nodiscard]] std::int64_t samples() const { return inputs.defined() ? inputs.size(0) : 0; }
  /// The same on `device`; not empty.
  [[nodiscard]] Batch to(torch::Device device) const {
    return {inputs.to(device), targets.to(device)};
  }
};

/// What a model must know about the data.
struct DataInfo {
  Task task = Task::kClassify;
  std::vector<std::int64_t> input_shape;  ///< of one sample: [C, H, W], [features] or [T]
  std::int64_t classes = 0;               ///< logits a sample or token; 1 for kRegress
};

/// A finite set of samples with random access.
class Dataset {
 public:
  virtual ~Dataset() = default;
  [[nodiscard]] virtual std::int64_t size() const = 0;
  [[nodiscard]] virtual const DataInfo& info() const = 0;
  /// The samples with these indices, each in [0, size()), as one batch. `augment_key` names the
  /// random numbers of augmentation: sample i draws from Random({augment_key, i}), so it looks the
  /// same on whichever rank it lands; 0: no augmentation. A training part that was loaded without
  /// data.augment, and every evaluation part, ignores the key. Any thread.
  /// @throws ContractError for an index that is out of range.
  [[nodiscard]] virtual Batch get(std::span<const std::int64_t> indices,
                                  std::uint64_t augment_key) const = 0;
};

/// Training and evaluation parts of one data set.
struct Datasets {
  std::shared_ptr<const Dataset> train;  // shared by the ranks that are threads of one process
  std::shared_ptr<const Dataset> test;
};

/// Reads the data set that the job names. `seed` draws the validation part and the synthetic data.
/// @throws ConfigError that names the file and what is wrong with it: missing, truncated, not of
///         this format, a bad cell in line n.
[[nodiscard]] Datasets load_datasets(const DataConfig& config, std::uint64_t seed);

/// The cheap part of load_datasets(): the values of `config` are possible, files exist, have the
/// size that they should where they tell it, and begin like their format says.
/// @throws ConfigError as load_datasets().
void check_data(const DataConfig& config);

}  // namespace convoy::trainer
