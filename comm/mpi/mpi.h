// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>

#include "comm/communicator.h"

namespace convoy::comm::mpi {

/// True when convoy was built with MPI.
[[nodiscard]] bool available();
/// The library's own version line, or what is missing.
[[nodiscard]] std::string version();
/// True when this process was started by mpirun, srun or a like launcher (reads its environment
/// variables; calls no MPI).
[[nodiscard]] bool launched();

/// Whether the MPI library takes addresses of CUDA device memory, as far as it says.
struct CudaSupport {
  bool is_there = false;
  std::string text;  ///< one line that says how it is known, or why not
};
/// Of the library that runs. After MPI has started: before, some do not know.
[[nodiscard]] CudaSupport cuda_support();

/// MPI for the life of a process: MPI_Init_thread in the constructor, MPI_Finalize in the
/// destructor, which is left out when a communicator made here is poisoned (it would hang). At most
/// one per process; main() owns it. Uses an MPI that the program has initialised already, and then
/// leaves finalising to it.
class Environment {
 public:
  /// @throws CommError if MPI cannot start or gives less than MPI_THREAD_SERIALIZED; ContractError
  ///         when convoy was built without MPI.
  Environment();
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  [[nodiscard]] int rank() const;
  [[nodiscard]] int size() const;
  /// A communicator over all ranks, on its own duplicate of MPI_COMM_WORLD. Collective.
  [[nodiscard]] std::unique_ptr<Communicator> world(const CommunicatorOptions& options = {});
  /// MPI's own MPI_Allreduce, blocking: what others are compared with. Collective. @throws
  /// CommError.
  void stock_all_reduce(std::span<float> values);
  /// Ends all ranks of the job with this exit code (MPI_Abort).
  [[noreturn]] void abort(int exit_code);

  struct State;

 private:
  std::shared_ptr<State> state_;  // shared with the communicators, which mark it as poisoned
};

}  // namespace convoy::comm::mpi
