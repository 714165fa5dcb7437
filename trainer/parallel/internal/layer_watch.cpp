// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/layer_watch.h"

namespace convoy::trainer::internal {
namespace {

std::vector<torch::Tensor> tensors_of(const std::vector<NamedTensor>& parameters) {
  std::vector<torch::Tensor> tensors;
  for (const auto& parameter : parameters) tensors.push_back(parameter.tensor);
  return tensors;
}

}  // namespace

LayerWatch::LayerWatch(const std::vector<NamedTensor>& parameters, Timeline& timeline)
    : timeline_(timeline),
      uses_(tensors_of(parameters), [this](std::size_t parameter) { on_use(parameter); }),
      gradients_(tensors_of(parameters),
                 [this](std::size_t parameter) { on_gradient(parameter); }) {
  for (const auto& [name, tensor] : parameters) {
    names_.push_back(name);
    const auto dot = name.rfind('.');
    modules_.push_back(dot == std::string::npos ? name : name.substr(0, dot));
  }
}

// First: the update of a parameter that forward comes to lies in the time of its layer, and is no
// use of the parameter.
void LayerWatch::begin_forward() { uses_.start_first(); }

void LayerWatch::end_forward() {
  uses_.stop();
  close();
}

void LayerWatch::on_use(std::size_t parameter) {
  if (open_ && modules_[*open_] == modules_[parameter]) return;
  close();
  open_ = parameter;
  opened_ = Clock::now();
}

void LayerWatch::close() {
  if (open_) timeline_.add({Phase::kForward, names_[*open_], opened_, Clock::now()});
  open_.reset();
}

void LayerWatch::begin_backward() {
  end_forward();
  const std::lock_guard lock(mutex_);
  in_backward_ = true;
  last_gradient_ = Clock::now();
}

void LayerWatch::end_backward() {
  const std::lock_guard lock(mutex_);
  in_backward_ = false;
}

void LayerWatch::on_gradient(std::size_t parameter) {
  const std::lock_guard lock(mutex_);
  if (!in_backward_) return;
  const auto now = Clock::now();
  timeline_.add({Phase::kBackward, names_[parameter], last_gradient_, now});
  last_gradient_ = now;
}

}  // namespace convoy::trainer::internal
