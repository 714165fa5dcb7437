// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "trainer/named_tensor.h"
#include "trainer/optim/host_parameters.h"
#include "trainer/optim/optim_config.h"

namespace convoy::trainer {

/// A torch::optim optimizer whose state can be taken out and put back by parameter name, alike
/// under LibTorch 1.13 (keyed by string inside) and 2.x (by pointer). One thread at a time.
class Optimizer {
 public:
  /// Where it computes. kHost: on copies there, the same bits whatever device the parameters are
  /// on, for ranks on CPUs and on devices that share a job; LibTorch's updates on a device differ
  /// in their last bits, and replicas would drift apart. Costs a copy of each gradient to the host
  /// and of each parameter back.
  enum class Where { kWithParameters, kHost };

  /// Parameters keep their memory; frozen ones may be among them and stay as they are.
  /// @throws ConfigError for an unknown name or values out of range; ContractError for two
  ///         parameters of one name, or one under two.
  Optimizer(const OptimizerConfig& config, std::vector<NamedTensor> parameters,
            Where where = Where::kWithParameters);
  ~Optimizer();
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  void set_learning_rate(double lr);
  /// Others have written the values of parameters.
  void values_changed();
  /// As clip_gradients(), of the gradients that the next step() takes; at most once before it.
  double clip(double max_norm);
  /// Parameters without a gradient are left alone.
  void step();
  /// Fills the gradients with zeros in place, so views of them stay valid; undefined ones stay so.
  void zero_grad();
  /// The same for one parameter, by its place in the list: all of them, each once and in any order,
  /// give the bits of step() and zero_grad().
  void step(std::size_t parameter);
  void zero_grad(std::size_t parameter);
  /// "<parameter>/momentum", "<parameter>/exp_avg", "<parameter>/exp_avg_sq", "<parameter>/step"
  /// (int64 scalar); what a parameter has not got yet is absent. Copies.
  [[nodiscard]] std::vector<NamedTensor> state() const;
  /// Puts a state() back, in place of all there is; a parameter without entries starts anew.
  /// @throws ConfigError that names an entry of unknown name, of wrong shape or missing beside its
  ///         companions; the state is then as before.
  void load_state(const std::vector<NamedTensor>& state);

 private:
  [[nodiscard]] const std::vector<NamedTensor>& updated() const {
    return on_host_ ? on_host_->copies() : parameters_;
  }
  void take_gradients();
  void give_value(std::size_t parameter) const;

  OptimizerConfig config_;
  std::vector<NamedTensor> parameters_;
  std::optional<HostParameters> on_host_;
  bool gradients_taken_ = false;  // to the host, for the next step()
  // One for each parameter: LibTorch's cannot step some of many.
  std::vector<std::unique_ptr<torch::optim::Optimizer>> optimizers_;
};

/// Scales all gradients so that their common L2 norm is at most `max_norm`; returns the norm
/// before. Summed in float64 in one fixed order: equal gradients give equal bits on every machine
/// and with any number of threads. A norm that is not finite is returned and the gradients are left
/// as they are. Reads the gradients once and, when it scales, writes them once.
/// @throws ContractError unless max_norm > 0.
double clip_gradients(const std::vector<NamedTensor>& parameters, double max_norm);

}  // namespace convoy::trainer
