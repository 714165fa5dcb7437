// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "trainer/named_tensor.h"

namespace convoy::trainer {

/// Writes a dictionary name -> tensor as Python's torch.save would, so that torch.load reads it,
/// also with weights_only=True. Order, element types and shapes are kept; tensors come back on the
/// CPU, contiguous, without requires_grad; whole tensors that share memory still do. Atomic. Needs
/// no memory beside tensors that are on the CPU and fill their storages.
/// @return the file's size and hash64().
/// @throws std::runtime_error that names path and reason; ContractError for two equal names or an
///         undefined tensor.
struct SavedFile {
  std::uint64_t bytes = 0;
  std::uint64_t hash = 0;
};
SavedFile save_state_dict(const std::filesystem::path& path,
                          const std::vector<NamedTensor>& tensors);

/// Reads what save_state_dict() or Python's torch.save(module.state_dict()) wrote (PyTorch's zip
/// format, 1.6 or newer), in its order. Runs no code from the file: all but tensors is refused.
/// @throws ConfigError that names the path and what is wrong, in one line.
[[nodiscard]] std::vector<NamedTensor> load_state_dict(const std::filesystem::path& path);

/// The bytes of such a file. @throws as save_state_dict().
[[nodiscard]] std::vector<std::byte> encode_state_dict(const std::vector<NamedTensor>& tensors);

/// The inverse; `origin` is what errors call the bytes (a path). @throws as load_state_dict().
[[nodiscard]] std::vector<NamedTensor> decode_state_dict(std::span<const std::byte> bytes,
                                                         const std::string& origin);

}  // namespace convoy::trainer
