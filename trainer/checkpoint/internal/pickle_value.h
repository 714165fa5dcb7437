// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/errors.h"

namespace convoy::trainer::internal {

struct Value;
using Values = std::vector<Value>;

/// "module name" of a Python object that the pickle refers to.
struct Global {
  std::string name;
};
/// A dict; pickles fill one while others refer to it already, hence the shared entries.
struct Dict {
  std::shared_ptr<std::vector<std::pair<Value, Value>>> entries;
};
/// A tuple; shared because the memo copies it.
struct Tuple {
  std::shared_ptr<const Values> items;
};
struct Storage {
  torch::Tensor elements;
};
/// What a state dictionary holds on the way; monostate is None.
struct Value {
  std::variant<std::monostate, bool, std::int64_t, std::string, torch::Tensor, Global, Storage,
               Dict, Tuple>
      held;
};

/// @throws ConfigError unless `ok`.
inline void require_valid(bool ok) { require_config(ok, "its pickle is not valid"); }

/// The value if it is a T. @throws ConfigError else.
template <typename T>
[[nodiscard]] const T& as(const Value& value) {
  const auto* held = std::get_if<T>(&value.held);
  require_valid(held != nullptr);
  return *held;
}

[[nodiscard]] inline Value make_dict() {
  return {Dict{std::make_shared<std::vector<std::pair<Value, Value>>>()}};
}

[[nodiscard]] inline Value make_tuple(Values items) {
  return {Tuple{std::make_shared<const Values>(std::move(items))}};
}

/// Element type of "torch FloatStorage" and the like. @throws ConfigError that names others.
[[nodiscard]] torch::ScalarType dtype_of_storage(const std::string& name);

/// torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks)
[[nodiscard]] torch::Tensor rebuild_tensor(const Values& arguments);

}  // namespace convoy::trainer::internal
