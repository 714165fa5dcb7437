// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/internal/parameter_watch.h"

#include <ATen/record_function.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/errors.h"

#ifndef NDEBUG
#error "LibTorch is built with NDEBUG, on which the layout of at::RecordFunction depends"
#endif

namespace convoy::trainer::internal {
namespace {

// A callback of LibTorch is a plain function: this is how it finds those it works for.
struct ThreadWatches {
  std::vector<const ParameterWatch*> started;
  at::CallbackHandle handle = at::INVALID_CALLBACK_HANDLE;
};
thread_local ThreadWatches watches;

void look_at(const c10::IValue& value) {
  if (value.isTensor()) {
    // By index: what is called may start and stop watches.
    for (std::size_t i = 0; i < watches.started.size(); ++i) {
      watches.started[i]->look_at(value.toTensor());
    }
  } else if (value.isList()) {
    for (const c10::IValue& element : value.toListRef()) {
      if (!element.isTensor()) return;
      look_at(element);
    }
  }
}

std::unique_ptr<at::ObserverContext> before_operation(const at::RecordFunction& function) {
  for (const c10::IValue& input : function.inputs()) look_at(input);
  return nullptr;
}

const c10::StorageImpl* storage_of(const torch::Tensor& tensor) {
  return tensor.defined() && tensor.has_storage() ? tensor.storage().unsafeGetStorageImpl()
                                                  : nullptr;
}

}  // namespace

ParameterWatch::ParameterWatch(const std::vector<torch::Tensor>& parameters,
                               std::function<void(std::size_t)> before_use)
    : before_use_(std::move(before_use)) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    parameters_[storage_of(parameters[i])].push_back(i);
  }
  parameters_.erase(nullptr);
}

// A thread that went on calling what is gone would be worse than an end here.
ParameterWatch::~ParameterWatch() { stop(); }

void ParameterWatch::start() { start(false); }

void ParameterWatch::start_first() { start(true); }

void ParameterWatch::start(bool first) {
  const auto here = std::this_thread::get_id();
  require(watched_ == std::thread::id() || watched_ == here,
          "a parameter watch is started in a second thread");
  if (watched_ == here) return;
  if (watches.started.empty()) {
    watches.handle = at::addThreadLocalCallback(at::RecordFunctionCallback(before_operation)
                                                    .needsInputs(true)
                                                    .scopes({at::RecordScope::FUNCTION}));
  }
  watches.started.insert(first ? watches.started.begin() : watches.started.end(), this);
  watched_ = here;
}

void ParameterWatch::stop() {
  if (watched_ == std::thread::id()) return;
  require(watched_ == std::this_thread::get_id(),
          "a parameter watch is stopped in another thread than it was started in");
  watched_ = {};
  std::erase(watches.started, this);
  if (watches.started.empty()) at::removeCallback(watches.handle);
}

void ParameterWatch::look_at(const torch::Tensor& tensor) const {
  const auto found = parameters_.find(storage_of(tensor));
  if (found == parameters_.end()) return;
  for (const std::size_t index : found->second) before_use_(index);
}

}  // namespace convoy::trainer::internal
