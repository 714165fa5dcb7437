// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "trainer/named_tensor.h"

namespace convoy::trainer {

/// Writes a dictionary name -> tensor as Python's torch.save would, so that torch.load reads it,
/// also with weights_only=True. Atomic. @throws std::runtime_error that names path and reason.
void save_state_dict(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors);

/// Reads what save_state_dict() or Python's torch.save(module.state_dict()) wrote.
/// @throws ConfigError that names the path and what is wrong.
[[nodiscard]] std::vector<NamedTensor> load_state_dict(const std::filesystem::path& path);

}  // namespace convoy::trainer
