// SPDX-License-Identifier: Apache-2.0
#include "trainer/optim/optimizer.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "base/errors.h"
#include "trainer/torch_compat.h"

namespace convoy::trainer {
namespace {

/// State of one parameter by kind: "momentum", "exp_avg", ...
using Entries = std::map<std::string, torch::Tensor>;

std::unique_ptr<torch::optim::OptimizerOptions> make_options(const OptimizerConfig& config,
                                                             double weight_decay) {
  if (config.name == "sgd") {
    auto options = std::make_unique<torch::optim::SGDOptions>(config.lr);
    options->momentum(config.momentum).nesterov(config.nesterov).weight_decay(weight_decay);
    return options;
  }
  auto options = std::make_unique<torch::optim::AdamWOptions>(config.lr);
  options->betas(std::make_tuple(config.beta1, config.beta2));
  options->eps(config.eps).weight_decay(weight_decay);
  return options;
}

std::unique_ptr<torch::optim::Optimizer> make_optimizer(const OptimizerConfig& config,
                                                        const torch::Tensor& parameter) {
  const bool decays = config.decay_all || parameter.dim() >= 2;
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::vector{parameter},
                      make_options(config, decays ? config.weight_decay : 0.0));
  if (config.name == "sgd") {
    return std::make_unique<torch::optim::SGD>(groups, torch::optim::SGDOptions(config.lr));
  }
  return std::make_unique<torch::optim::AdamW>(groups, torch::optim::AdamWOptions(config.lr));
}

/// What the optimizer keeps for a parameter once it has stepped.
std::set<std::string> kinds(const OptimizerConfig& config) {
  if (config.name == "adamw") return {"exp_avg", "exp_avg_sq", "step"};
  return config.momentum > 0.0 ? std::set<std::string>{"momentum"} : std::set<std::string>{};
}

Entries take_out(const OptimizerConfig& config, torch::optim::OptimizerParamState& state) {
  if (config.name == "sgd") {
    const auto& momentum = static_cast<torch::optim::SGDParamState&>(state).momentum_buffer();
    return {{"momentum", momentum.detach().clone()}};
  }
  const auto& adamw = static_cast<torch::optim::AdamWParamState&>(state);
  return {{"exp_avg", adamw.exp_avg().detach().clone()},
          {"exp_avg_sq", adamw.exp_avg_sq().detach().clone()},
          {"step", torch::tensor(adamw.step(), torch::kInt64)}};
}

std::unique_ptr<torch::optim::OptimizerParamState> put_back(const OptimizerConfig& config,
                                                            const Entries& entries) {
  if (config.name == "sgd") {
    auto state = std::make_unique<torch::optim::SGDParamState>();
    state->momentum_buffer(entries.at("momentum"));
    return state;
  }
  auto state = std::make_unique<torch::optim::AdamWParamState>();
  state->exp_avg(entries.at("exp_avg")).exp_avg_sq(entries.at("exp_avg_sq"));
  state->step(entries.at("step").item<std::int64_t>());
  return state;
}

/// A copy of `value` that suits `parameter`.
torch::Tensor checked_entry(const NamedTensor& entry, const std::string& kind,
                            const torch::Tensor& parameter) {
  if (kind == "step") {
    require_config(entry.tensor.numel() == 1,
                   "optimizer state \"" + entry.name + "\" must be a single number");
    return entry.tensor.detach().to(torch::kCPU, torch::kInt64, false, true);
  }
  require_config(entry.tensor.sizes() == parameter.sizes(),
                 "optimizer state \"" + entry.name + "\" has shape " +
                     c10::str(entry.tensor.sizes()) + ", its parameter has " +
                     c10::str(parameter.sizes()));
  return entry.tensor.detach().to(parameter.device(), parameter.scalar_type(), false, true);
}

/// Splits "<parameter>/<kind>"; a parameter's name may hold slashes, a kind has none.
std::pair<std::string, std::string> split_name(const std::string& name) {
  const auto slash = name.rfind('/');
  if (slash == std::string::npos) return {name, ""};
  return {name.substr(0, slash), name.substr(slash + 1)};
}

/// [parameters] the entries of each, checked.
std::vector<Entries> sort_entries(const OptimizerConfig& config,
                                  const std::vector<NamedTensor>& parameters,
                                  const std::vector<NamedTensor>& state) {
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < parameters.size(); ++i) index.emplace(parameters[i].name, i);
  const auto wanted = kinds(config);
  std::vector<Entries> sorted(parameters.size());
  for (const auto& entry : state) {
    const auto [name, kind] = split_name(entry.name);
    const auto found = index.find(name);
    require_config(found != index.end() && wanted.contains(kind),
                   "optimizer state \"" + entry.name +
                       "\" belongs to no parameter and kind of this " + config.name);
    sorted[found->second][kind] = checked_entry(entry, kind, parameters[found->second].tensor);
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (sorted[i].empty()) continue;
    for (const auto& kind : wanted) {
      require_config(sorted[i].contains(kind),
                     "optimizer state lacks \"" + parameters[i].name + "/" + kind + "\"");
    }
  }
  return sorted;
}

}  // namespace

Optimizer::Optimizer(const OptimizerConfig& config, std::vector<NamedTensor> parameters,
                     Where where)
    : config_(config), parameters_(std::move(parameters)) {
  check_config(config_);
  std::set<std::string> names;
  std::set<const c10::TensorImpl*> seen;
  for (const auto& [name, tensor] : parameters_) {
    require(names.insert(name).second, "two parameters are called \"" + name + "\"");
    require(seen.insert(tensor.unsafeGetTensorImpl()).second,
            "the parameter \"" + name + "\" is listed twice");
  }
  if (where == Where::kHost) on_host_.emplace(parameters_);
  for (const auto& [name, tensor] : updated()) {
    optimizers_.push_back(make_optimizer(config_, tensor));
  }
}

Optimizer::~Optimizer() = default;

void Optimizer::set_learning_rate(double lr) {
  for (const auto& optimizer : optimizers_) {
    for (auto& group : optimizer->param_groups()) group.options().set_lr(lr);
  }
}

void Optimizer::values_changed() {
  if (on_host_) on_host_->refresh();
}

double Optimizer::clip(double max_norm) {
  take_gradients();
  return clip_gradients(updated(), max_norm);
}

void Optimizer::take_gradients() {
  if (!on_host_) return;
  for (std::size_t i = 0; i < parameters_.size(); ++i) on_host_->take_gradient(i);
  gradients_taken_ = true;
}

void Optimizer::step() {
  if (!gradients_taken_) take_gradients();
  gradients_taken_ = false;
  for (std::size_t i = 0; i < optimizers_.size(); ++i) {
    optimizers_[i]->step();
    give_value(i);
  }
}

void Optimizer::step(std::size_t parameter) {
  if (on_host_) on_host_->take_gradient(parameter);
  optimizers_[parameter]->step();
  give_value(parameter);
}

// Without a gradient it has not changed.
void Optimizer::give_value(std::size_t parameter) const {
  if (!on_host_ || !updated()[parameter].tensor.grad().defined()) return;
  on_host_->give_value(parameter);
}

void Optimizer::zero_grad() {
  for (std::size_t i = 0; i < parameters_.size(); ++i) zero_grad(i);
}

void Optimizer::zero_grad(std::size_t parameter) {
  const torch::NoGradGuard no_grad;
  auto gradient = parameters_[parameter].tensor.grad();
  if (!gradient.defined()) return;
  if (gradient.grad_fn() != nullptr) gradient.detach_();
  gradient.zero_();
}

std::vector<NamedTensor> Optimizer::state() const {
  std::vector<NamedTensor> result;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto& [name, tensor] = updated()[i];
    const auto& states = optimizers_[i]->state();
    const auto found = states.find(optimizer_state_key(tensor));
    if (found == states.end()) continue;
    for (auto& [kind, value] : take_out(config_, *found->second)) {
      result.push_back({name + "/" + kind, value});
    }
  }
  return result;
}

void Optimizer::load_state(const std::vector<NamedTensor>& state) {
  const auto sorted = sort_entries(config_, updated(), state);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    auto& states = optimizers_[i]->state();
    states.clear();
    if (sorted[i].empty()) continue;
    states[optimizer_state_key(updated()[i].tensor)] = put_back(config_, sorted[i]);
  }
}

}  // namespace convoy::trainer
