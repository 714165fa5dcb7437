// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "comm/mpi/mpi.h"
#include "launch/process/rank_environment.h"
#include "trainer/parallel/placement.h"

namespace convoy::launch {

/// Exit codes of the program: a contract with scripts.
inline constexpr int kSuccess = 0;
inline constexpr int kFailedRun = 1;
inline constexpr int kBadInput = 2;

/// This process as one rank: which one it is, MPI once it has started, and how it ends. main() owns
/// the only one.
class Process {
 public:
  Process();

  /// Of the environment before MPI has started, then of MPI.
  [[nodiscard]] const RankPlace& place() const { return place_; }
  /// Only one rank talks to the user.
  [[nodiscard]] bool speaks() const { return place_.rank == 0; }

  /// Starts MPI at the first call. @throws CommError.
  comm::mpi::Environment& start_mpi();

  /// The ranks of this rank's host, in the order of all, while run_ranks() has them; nullptr where
  /// nobody has asked (communication.hierarchical), or one rank a host is all there is.
  [[nodiscard]] comm::Communicator* host() const { return host_; }
  void set_host(comm::Communicator* host) { host_ = host; }

  /// Where this rank trains, while run_ranks() has it.
  [[nodiscard]] const trainer::Placement& placement() const { return placement_; }
  void set_placement(trainer::Placement placement) { placement_ = std::move(placement); }

  /// Prints what went wrong in one line, once for all ranks, and returns the exit code.
  [[nodiscard]] int fail(const std::exception_ptr& error) const;

  /// Prints what went wrong here and ends all ranks of the MPI job, which may wait for this one.
  [[noreturn]] void abort_all(const std::exception_ptr& error);

  /// The same where every rank has failed and calls this: rank 0 prints its line, and another rank
  /// only what rank 0 has not said already. Collective over `all`.
  [[noreturn]] void abort_all_failed(const std::exception_ptr& error, comm::Communicator& all);

  /// Standard error, rank 0 only: "convoy: <line>".
  void say_error(const std::string& line) const;

 private:
  /// Before MPI, mostly all ranks refuse the same thing: rank 0 says it, and mpirun ends the
  /// others. One that is still here after a while has met something of its own (a file that its
  /// host lacks).
  void say_late(const std::string& text) const;
  void say_with_rank(const std::string& text) const;

  RankPlace place_;
  std::optional<comm::mpi::Environment> mpi_;
  comm::Communicator* host_ = nullptr;
  trainer::Placement placement_;
};

}  // namespace convoy::launch
