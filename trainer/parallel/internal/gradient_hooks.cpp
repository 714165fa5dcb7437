// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/gradient_hooks.h"

#include <memory>

#include "base/errors.h"

namespace convoy::trainer::internal {
namespace {

using torch::autograd::variable_list;

class ReadyHook final : public torch::autograd::FunctionPostHook {
 public:
  ReadyHook(const std::function<void(std::size_t)>& ready, std::size_t index)
      : ready_(ready), index_(index) {}

  variable_list operator()(const variable_list& outputs, const variable_list&) override {
    ready_(index_);
    return outputs;
  }

 private:
  const std::function<void(std::size_t)>& ready_;
  std::size_t index_;
};

}  // namespace

GradientHooks::GradientHooks(const std::vector<torch::Tensor>& parameters,
                             std::function<void(std::size_t)> ready)
    : ready_(std::move(ready)) {
  for (const auto& parameter : parameters) {
    require(parameter.is_leaf() && parameter.requires_grad(),
            "a trained parameter must be a leaf that requires a gradient");
  }
  hooked_.reserve(parameters.size());
  for (std::size_t index = 0; index < parameters.size(); ++index) {
    auto accumulator = torch::autograd::impl::grad_accumulator(parameters[index]);
    const auto key = accumulator->add_post_hook(std::make_unique<ReadyHook>(ready_, index));
    hooked_.push_back({std::move(accumulator), key});
  }
}

GradientHooks::~GradientHooks() {
  for (auto& hooked : hooked_) hooked.accumulator->del_post_hook(hooked.key);
}

}  // namespace convoy::trainer::internal
