// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/server_optimizer.h"

#include <cmath>
#include <map>

#include "base/errors.h"
#include "trainer/federated/model_update.h"

namespace convoy::trainer {
namespace {

bool is_adaptive(const std::string& name) {
  return name == "fedadagrad" || name == "fedadam" || name == "fedyogi";
}

void check_share(const char* key, double value) {
  require_config(value >= 0.0 && value < 1.0,
                 std::string("federation.server_optimizer.") + key + " must be in [0, 1)");
}

}  // namespace

void check_config(const ServerOptimizerConfig& config) {
  require_config(config.name == "none" || config.name == "fedavgm" || is_adaptive(config.name),
                 "federation.server_optimizer.name: \"" + config.name +
                     "\" is none of: none, fedavgm, fedadagrad, fedadam, fedyogi");
  require_config(config.lr > 0.0 && std::isfinite(config.lr),
                 "federation.server_optimizer.lr must be above 0");
  require_config(config.tau > 0.0 && std::isfinite(config.tau),
                 "federation.server_optimizer.tau must be above 0");
  check_share("momentum", config.momentum);
  check_share("beta1", config.beta1);
  check_share("beta2", config.beta2);
}

ServerOptimizer::ServerOptimizer(const ServerOptimizerConfig& config,
                                 const std::vector<NamedTensor>& parameters)
    : config_(config) {
  check_config(config_);
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : parameters) {
    names_.push_back(name);
    // At least float32: half types cannot hold tau^2.
    const auto options = torch::TensorOptions().dtype(
        tensor.scalar_type() == torch::kDouble ? torch::kDouble : torch::kFloat);
    if (config_.name != "none") first_.push_back(torch::zeros(tensor.sizes(), options));
    if (is_adaptive(config_.name)) {
      second_.push_back(torch::full(tensor.sizes(), config_.tau * config_.tau, options));
    }
  }
}

void ServerOptimizer::update_second_moment(torch::Tensor& v, const torch::Tensor& squared) const {
  if (config_.name == "fedadagrad") {
    v.add_(squared);
  } else if (config_.name == "fedadam") {
    v.mul_(config_.beta2).add_(squared, 1.0 - config_.beta2);
  } else {
    v.sub_(squared * torch::sign(v - squared), 1.0 - config_.beta2);
  }
}

void ServerOptimizer::apply(std::vector<torch::Tensor>& steps) {
  const torch::NoGradGuard no_grad;
  require(steps.size() == names_.size(), "ServerOptimizer: one step a parameter");
  for (std::size_t i = 0; i < first_.size(); ++i) {
    torch::Tensor& m = first_[i];
    if (second_.empty()) {
      m.mul_(config_.momentum).add_(steps[i]);
      steps[i] = m * config_.lr;
      continue;
    }
    m.mul_(config_.beta1).add_(steps[i], 1.0 - config_.beta1);
    update_second_moment(second_[i], steps[i].square());
    steps[i] = m / (second_[i].sqrt() + config_.tau) * config_.lr;
  }
}

std::vector<NamedTensor> ServerOptimizer::state() const {
  std::vector<NamedTensor> state;
  for (std::size_t i = 0; i < first_.size(); ++i) {
    state.push_back({names_[i] + "/m", first_[i]});
    if (!second_.empty()) state.push_back({names_[i] + "/v", second_[i]});
  }
  return state;
}

void ServerOptimizer::load_state(const std::vector<NamedTensor>& state) {
  const torch::NoGradGuard no_grad;
  std::map<std::string, torch::Tensor> given;
  for (const auto& entry : state) given.emplace(entry.name, entry.tensor);
  for (auto& own : this->state()) {
    const auto found = given.find(own.name);
    require_config(found != given.end() && found->second.sizes() == own.tensor.sizes(),
                   "the checkpoint's server optimizer has no \"" + own.name + "\" of this shape");
    own.tensor.copy_(found->second);
  }
}

std::size_t ServerOptimizer::memory_bytes() const { return bytes_of(first_) + bytes_of(second_); }

}  // namespace convoy::trainer
