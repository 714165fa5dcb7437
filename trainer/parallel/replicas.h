// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "trainer/named_tensor.h"

namespace convoy::trainer {

/// Hash over names, shapes and bits of all tensors, in order. Local.
[[nodiscard]] std::uint64_t parameters_hash(const std::vector<NamedTensor>& tensors);

/// Checks that all ranks hold the same bits. Collective; sends 8 bytes a tensor.
/// @throws ContractError on every rank, naming the first differing rank (against rank 0) and its
///         first differing tensor.
void verify_replicas(comm::Communicator& communicator, const std::vector<NamedTensor>& tensors);

}  // namespace convoy::trainer
