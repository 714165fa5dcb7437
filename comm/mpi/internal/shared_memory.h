// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mpi.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace convoy::comm::mpi {

/// Memory that all ranks of a communicator see, zero at first. It has no name in any file system
/// and goes with the last of them, however they end.
class SharedMemory {
 public:
  SharedMemory() = default;
  SharedMemory(SharedMemory&& other) noexcept : memory_(std::exchange(other.memory_, {})) {}
  SharedMemory& operator=(SharedMemory&& other) noexcept {
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~SharedMemory();

  explicit SharedMemory(std::span<std::byte> mapped) : memory_(mapped) {}

  [[nodiscard]] std::span<std::byte> bytes() const { return memory_; }

 private:
  std::span<std::byte> memory_;
};

/// What came of an attempt; the same on all ranks.
struct Sharing {
  /// Empty where nobody wants it, where ranks are on several hosts, and after a failure.
  SharedMemory memory;
  /// "rank 2: Permission denied": who could not reach it, or rank 0 where there is too little.
  std::string failure;
};

/// Collective. @throws ContractError where ranks differ in `wanted`; internal::TransportError when
/// MPI fails or not all ranks have come within `timeout`.
[[nodiscard]] Sharing share_memory(MPI_Comm comm, std::size_t bytes, bool wanted,
                                   std::chrono::milliseconds timeout);

}  // namespace convoy::comm::mpi
