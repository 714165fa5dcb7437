// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/torch.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "trainer/named_tensor.h"

namespace convoy::trainer::internal {

/// Returns the elements [numel] of storage `key`.
using ReadStorage = std::function<torch::Tensor(const std::string& key, torch::ScalarType dtype,
                                                std::int64_t numel)>;

/// Reads the pickle of a state dictionary: a dict or OrderedDict of strings and tensors. LibTorch
/// 1.13's own Unpickler cannot read an OrderedDict, which is what Python's state_dict() is. Only
/// what such files hold is understood; nothing is looked up or called by name.
/// @throws ConfigError that says what is wrong, without naming the file.
[[nodiscard]] std::vector<NamedTensor> unpickle_state_dict(std::span<const std::byte> pickle,
                                                           const ReadStorage& read_storage);

}  // namespace convoy::trainer::internal
