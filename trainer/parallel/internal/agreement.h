// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "comm/communicator.h"
#include "trainer/named_tensor.h"

namespace convoy::trainer::internal {

/// One line for each tensor: name, type, shape, and whether it is trained.
[[nodiscard]] std::vector<std::string> describe(const std::vector<NamedTensor>& tensors);

/// Checks that all ranks pass the same lines. Collective; costs 8 bytes a rank when they do.
/// @throws ContractError on every rank, quoting the first line in which a rank differs from rank 0.
void require_agreement(comm::Communicator& communicator, const std::vector<std::string>& lines);

}  // namespace convoy::trainer::internal
