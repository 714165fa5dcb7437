// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mpi.h>

#include <cstddef>
#include <span>
#include <utility>

namespace convoy::comm::mpi {

/// Memory that all ranks of a communicator see, zero at first; it goes with the last of them.
class SharedMemory {
 public:
  SharedMemory() = default;
  SharedMemory(SharedMemory&& other) noexcept : memory_(std::exchange(other.memory_, {})) {}
  SharedMemory& operator=(SharedMemory&& other) noexcept {
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~SharedMemory();

  /// Empty, on all ranks, where they are not all on one host or one of them could not map it.
  [[nodiscard]] std::span<std::byte> bytes() const { return memory_; }

 private:
  friend SharedMemory share_memory(MPI_Comm comm, std::size_t bytes);
  std::span<std::byte> memory_;
};

/// Collective. @throws internal::TransportError when MPI fails.
[[nodiscard]] SharedMemory share_memory(MPI_Comm comm, std::size_t bytes);

}  // namespace convoy::comm::mpi
