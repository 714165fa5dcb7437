// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mpi.h>

#include <atomic>
#include <cstddef>
#include <mutex>
#include <utility>

#include "comm/mpi/mpi.h"

namespace convoy::comm::mpi {

/// @throws internal::TransportError with the name of the call and MPI's own text.
void check_mpi(int rc, const char* call);

/// What the environment and its communicators share.
struct Environment::State {
  bool finalize = false;    // this environment has initialised MPI
  bool serialized = false;  // MPI takes one call at a time
  std::atomic<bool> poisoned{false};
  std::atomic<bool> missed_memory{false};  // and has said so
  /// Messages of all communicators that MPI has not finished.
  std::atomic<std::size_t> pending{0};
  std::mutex mutex;

  /// To be held around MPI calls.
  [[nodiscard]] std::unique_lock<std::mutex> lock() {
    return serialized ? std::unique_lock(mutex) : std::unique_lock(mutex, std::defer_lock);
  }
};

/// Owns one MPI_Comm and frees it, unless MPI has been finalised before.
class CommHandle {
 public:
  CommHandle() = default;
  /// Takes ownership; errors of this communicator are returned from now on.
  explicit CommHandle(MPI_Comm comm);
  CommHandle(CommHandle&& other) noexcept : comm_(std::exchange(other.comm_, MPI_COMM_NULL)) {}
  CommHandle& operator=(CommHandle&& other) noexcept {
    std::swap(comm_, other.comm_);
    return *this;
  }
  ~CommHandle();

  [[nodiscard]] MPI_Comm get() const { return comm_; }

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
};

}  // namespace convoy::comm::mpi
