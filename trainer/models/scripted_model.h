// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/script.h>

#include <string>
#include <vector>

#include "trainer/models/model.h"

namespace convoy::trainer {

/// A module that Python saved with torch.jit.script(module).save(path), trained as it is. Runs
/// without the profiling executor: see PlainExecutor.
class ScriptedModel : public Model {
 public:
  /// @throws ConfigError, one line with the path: no such file, no TorchScript archive, no forward
  ///         method, no parameters.
  explicit ScriptedModel(const std::string& path);

  /// @throws ConfigError that names the file when the module refuses the inputs or returns anything
  ///         but a tensor.
  [[nodiscard]] torch::Tensor forward(const torch::Tensor& inputs) override;
  void train(bool on) override { module_.train(on); }
  [[nodiscard]] std::vector<NamedTensor> parameters() const override;
  [[nodiscard]] std::vector<NamedTensor> buffers() const override;
  /// Seeds LibTorch's process-wide generator.
  void seed_dropout(std::uint64_t key) override;
  [[nodiscard]] bool draws_from_shared_generator() const override { return random_; }
  void set_batch_statistics(BatchStatistics* statistics) override;
  void save(const std::string& path) const override;

 private:
  void move_to(torch::Device device) override { module_.to(device); }

  std::string path_;
  torch::jit::Module module_;
  bool random_ = false;
};

}  // namespace convoy::trainer
