// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.h"

namespace convoy::launch {

/// What must be equal on all ranks for equal results.
struct Fingerprint {
  std::int64_t build = 0;  ///< hash of convoy's version, compiler and LibTorch
  std::int64_t gemm = 0;   ///< hash of a small matrix product's bits
};

/// "convoy 0.1.0, GCC 12.2.0, LibTorch 1.13.1"
[[nodiscard]] std::string build_text();
[[nodiscard]] std::string convoy_version();
[[nodiscard]] std::string compiler_version();

/// One line for each way in which ranks differ from rank 0, naming them; empty when they agree.
[[nodiscard]] std::vector<std::string> differences(std::span<const Fingerprint> ranks);

/// Compares the ranks and logs their differences on rank 0. Collective; 16 bytes.
void compare_ranks(comm::Communicator& communicator);

}  // namespace convoy::launch
