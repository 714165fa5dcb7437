// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mpi.h>

#include <chrono>
#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#include "comm/mpi/internal/session.h"

namespace convoy::comm::mpi {

/// The collective calls that make a communicator. MPI itself would wait for ever for a rank that
/// does not come; these end with a TransportError after `timeout`. MPI keeps the memory of such a
/// call, and must not be finalised.
class SetUpCalls {
 public:
  SetUpCalls(MPI_Comm comm, std::chrono::milliseconds timeout) : comm_(comm), timeout_(timeout) {}

  /// A communicator of the same ranks, of our own.
  [[nodiscard]] CommHandle duplicate() const;
  /// What every rank says, in rank order.
  template <typename T>
  requires std::is_trivially_copyable_v<T>
  [[nodiscard]] std::vector<T> gather(const T& own) const {
    const auto bytes = gather_bytes(&own, sizeof(T));
    std::vector<T> all(bytes.size() / sizeof(T));
    std::memcpy(all.data(), bytes.data(), bytes.size());
    return all;
  }

 private:
  [[nodiscard]] std::vector<std::byte> gather_bytes(const void* own, std::size_t bytes) const;
  /// @param memory  what MPI reads and writes until the call is over.
  void finish(MPI_Request request, const char* call, std::shared_ptr<void> memory) const;

  MPI_Comm comm_;
  std::chrono::milliseconds timeout_;
};

}  // namespace convoy::comm::mpi
