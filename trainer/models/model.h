// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/errors.h"
#include "trainer/data/dataset.h"
#include "trainer/models/model_config.h"
#include "trainer/named_tensor.h"

namespace convoy::trainer {

class BatchStatistics;

/// A network behind one face: C++ modules have no virtual forward, and scripted ones are no
/// modules.
class Model {
 public:
  virtual ~Model() = default;
  /// Moves parameters and buffers, before an optimizer or gradients hold on to them. @throws
  /// ContractError for a model that knows only the CPU; what LibTorch throws for a device that is
  /// not there.
  void to(torch::Device device) {
    move_to(device);
    device_ = device;
  }
  /// Where inputs and targets have to be.
  [[nodiscard]] torch::Device device() const { return device_; }
  [[nodiscard]] virtual torch::Tensor forward(const torch::Tensor& inputs) = 0;
  /// Training or evaluation mode.
  virtual void train(bool on) = 0;
  /// In a fixed order; a tied parameter once, under its first name. Names are PyTorch's.
  [[nodiscard]] virtual std::vector<NamedTensor> parameters() const = 0;
  [[nodiscard]] virtual std::vector<NamedTensor> buffers() const = 0;
  /// Starts the random stream of dropout anew.
  virtual void seed_dropout(std::uint64_t key) = 0;
  /// True when dropout (or another random operation) draws from LibTorch's process-wide generator,
  /// which seed_dropout() then seeds: ranks that are threads of one process would disturb one
  /// another. Ours never do; a scripted module that has such operations does.
  [[nodiscard]] virtual bool draws_from_shared_generator() const { return false; }
  /// Makes every BatchNorm layer take its statistics over all ranks; nullptr: over its own batch.
  /// @throws ConfigError where the model cannot (scripted modules).
  virtual void set_batch_statistics(BatchStatistics* statistics) = 0;
  /// What a rank without samples does in place of forward and backward: it makes the sums that the
  /// others make, with zeros, and updates its running statistics as they do. Nothing without
  /// BatchNorm layers or without set_batch_statistics().
  virtual void empty_step() {}
  /// Writes what a run leaves behind: a TorchScript archive for a scripted module, else a state
  /// dictionary that Python's torch.load reads.
  virtual void save(const std::string& path) const = 0;

 private:
  virtual void move_to(torch::Device device) {
    require(device.is_cpu(), "this model can only live on the CPU");
  }

  torch::Device device_ = torch::kCPU;
};

/// Builds the network that the job names, for data of this kind, with weights drawn from `seed`
/// alone, and loads `config.init` where given. Runs one sample through it, to see that it fits.
/// Same seed, same bits, whatever other threads do.
/// @throws ConfigError: unknown name, sizes that do not fit, a file that is not what it should be.
[[nodiscard]] std::unique_ptr<Model> make_model(const ModelConfig& config, const DataInfo& info,
                                                std::uint64_t seed);

/// The part of make_model() that needs no data: sizes fit, files can be read. @throws ConfigError.
void check_model(const ModelConfig& config);

}  // namespace convoy::trainer
