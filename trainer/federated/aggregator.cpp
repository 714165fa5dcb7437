// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/aggregator.h"

#include <algorithm>
#include <map>

#include "base/errors.h"

namespace convoy::trainer {
namespace {

constexpr const char* kCoefficients = "sum/coefficients";
constexpr const char* kNewest = "sum/newest";

std::vector<std::string> names_of(const std::vector<NamedTensor>& tensors) {
  std::vector<std::string> names;
  for (const auto& item : tensors) names.push_back(item.name);
  return names;
}

/// Half types have too few bits to add many small steps up.
torch::ScalarType sum_type(const torch::Tensor& tensor) {
  return tensor.scalar_type() == torch::kDouble ? torch::kDouble : torch::kFloat;
}

torch::Tensor zero_sum(const torch::Tensor& like) {
  return torch::zeros(like.sizes(), like.options().dtype(sum_type(like)).requires_grad(false));
}

std::vector<torch::Tensor> copy_of(const std::vector<torch::Tensor>& tensors) {
  std::vector<torch::Tensor> copies;
  for (const auto& tensor : tensors) copies.push_back(tensor.clone());
  return copies;
}

/// Copies of `names` out of `given`, each with the shape and type of its old value.
std::vector<torch::Tensor> pick(const std::map<std::string, torch::Tensor>& given,
                                const std::string& prefix, const std::vector<std::string>& names,
                                const std::vector<torch::Tensor>& old) {
  std::vector<torch::Tensor> values;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = given.find(prefix + names[i]);
    require_config(found != given.end() && found->second.sizes() == old[i].sizes(),
                   "the checkpoint's model has no \"" + prefix + names[i] + "\" of this shape");
    values.push_back(found->second.detach().to(old[i].scalar_type(), false, /*copy=*/true));
  }
  return values;
}

}  // namespace

Aggregator::Aggregator(const Model& model, const ServerOptimizerConfig& optimizer)
    : parameter_names_(names_of(model.parameters())),
      buffer_names_(names_of(model.buffers())),
      optimizer_(optimizer, model.parameters()),
      model_(std::make_shared<const ModelState>(copy_state(model))) {}

void Aggregator::begin() {
  if (adding_) return;
  adding_ = true;
  coefficients_ = 0.0;
  newest_ = {-1, -1};
  step_.clear();
  buffer_sums_.clear();
  for (const auto& parameter : model_->parameters) step_.push_back(zero_sum(parameter));
  for (const auto& buffer : model_->buffers) {
    buffer_sums_.push_back(buffer.is_floating_point() ? zero_sum(buffer) : buffer);
  }
}

void Aggregator::add(const ModelUpdate& update, double coefficient) {
  const torch::NoGradGuard no_grad;
  require(update.delta.size() == parameter_names_.size(), "Aggregator: one delta a parameter");
  begin();
  for (std::size_t i = 0; i < step_.size(); ++i) step_[i].add_(update.delta[i], coefficient);
  add_buffers(update, coefficient);
}

void Aggregator::mix(const ModelUpdate& update, const ModelState& start, double coefficient) {
  const torch::NoGradGuard no_grad;
  add(update, coefficient);
  // c (x - w) = c delta + c (start - w)
  for (std::size_t i = 0; i < step_.size(); ++i) {
    step_[i].add_(start.parameters[i] - model_->parameters[i], coefficient);
  }
}

void Aggregator::add_buffers(const ModelUpdate& update, double coefficient) {
  require(update.buffers.size() == buffer_names_.size(), "Aggregator: one value a buffer");
  coefficients_ += coefficient;
  const std::pair age{update.version, update.arrival};
  const bool newer = age > newest_;
  if (newer) newest_ = age;
  for (std::size_t i = 0; i < buffer_sums_.size(); ++i) {
    if (model_->buffers[i].is_floating_point()) {
      buffer_sums_[i].add_(update.buffers[i], coefficient);
    } else if (newer) {
      buffer_sums_[i] = update.buffers[i].clone();
    }
  }
}

std::vector<torch::Tensor> Aggregator::new_buffers(double scale) const {
  const double total = std::min(coefficients_ * scale, 1.0);
  std::vector<torch::Tensor> buffers;
  for (std::size_t i = 0; i < buffer_sums_.size(); ++i) {
    const torch::Tensor& old = model_->buffers[i];
    if (!old.is_floating_point() || coefficients_ <= 0.0) {
      buffers.push_back(old.is_floating_point() ? old : buffer_sums_[i]);
      continue;
    }
    const torch::Tensor value = old * (1.0 - total) + buffer_sums_[i] * (total / coefficients_);
    buffers.push_back(value.to(old.scalar_type()));
  }
  return buffers;
}

void Aggregator::finish(double scale) {
  const torch::NoGradGuard no_grad;
  require(adding_, "Aggregator::finish: nothing has been added");
  for (auto& step : step_) step.mul_(scale);
  auto next = std::make_shared<ModelState>();
  next->buffers = new_buffers(scale);
  optimizer_.apply(step_);
  for (std::size_t i = 0; i < step_.size(); ++i) {
    const torch::Tensor& old = model_->parameters[i];
    next->parameters.push_back((old + step_[i]).to(old.scalar_type()));
  }
  model_ = std::move(next);
  ++version_;
  adding_ = false;
  step_.clear();
  buffer_sums_.clear();
}

std::vector<NamedTensor> Aggregator::state() const {
  std::vector<NamedTensor> state;
  const auto put = [&state](const std::string& prefix, const std::vector<std::string>& names,
                            const std::vector<torch::Tensor>& values) {
    for (std::size_t i = 0; i < names.size(); ++i) state.push_back({prefix + names[i], values[i]});
  };
  put("parameter/", parameter_names_, model_->parameters);
  put("buffer/", buffer_names_, model_->buffers);
  if (adding_) {
    put("sum/parameter/", parameter_names_, copy_of(step_));
    put("sum/buffer/", buffer_names_, copy_of(buffer_sums_));
    state.push_back({kCoefficients, torch::full({1}, coefficients_, torch::kDouble)});
    state.push_back({kNewest, torch::tensor({newest_.first, newest_.second}, torch::kLong)});
  }
  for (const auto& entry : optimizer_.state()) {
    state.push_back({"optimizer/" + entry.name, entry.tensor.clone()});
  }
  return state;
}

void Aggregator::load_state(const std::vector<NamedTensor>& state, std::int64_t version) {
  constexpr std::string_view kOptimizer = "optimizer/";
  std::map<std::string, torch::Tensor> given;
  std::vector<NamedTensor> of_optimizer;
  for (const auto& entry : state) {
    given.emplace(entry.name, entry.tensor);
    if (!entry.name.starts_with(kOptimizer)) continue;
    of_optimizer.push_back({entry.name.substr(kOptimizer.size()), entry.tensor});
  }
  auto loaded = std::make_shared<ModelState>();
  loaded->parameters = pick(given, "parameter/", parameter_names_, model_->parameters);
  loaded->buffers = pick(given, "buffer/", buffer_names_, model_->buffers);
  optimizer_.load_state(of_optimizer);
  model_ = std::move(loaded);
  version_ = version;
  adding_ = false;
  if (given.contains(kCoefficients)) load_sums(given);
}

void Aggregator::load_sums(const std::map<std::string, torch::Tensor>& given) {
  begin();
  step_ = pick(given, "sum/parameter/", parameter_names_, step_);
  buffer_sums_ = pick(given, "sum/buffer/", buffer_names_, buffer_sums_);
  coefficients_ = given.at(kCoefficients).item<double>();
  const torch::Tensor& newest = given.at(kNewest);
  newest_ = {newest[0].item<std::int64_t>(), newest[1].item<std::int64_t>()};
}

std::size_t Aggregator::memory_bytes() const {
  return bytes_of(*model_) + bytes_of(step_) + bytes_of(buffer_sums_) + optimizer_.memory_bytes();
}

}  // namespace convoy::trainer
