// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace convoy::launch {

/// The mpirun that is found on the PATH.
struct Mpirun {
  std::filesystem::path path;
  int major_version = 4;  ///< of Open MPI
};

/// @throws ConfigError where there is none (with what to install) or it is not Open MPI 4 or 5.
[[nodiscard]] Mpirun find_mpirun();

/// The major version in what `mpirun --version` prints; 0 where it is not Open MPI.
[[nodiscard]] int open_mpi_major(const std::string& version_text);

struct MpirunRequest {
  int ranks = 1;
  std::string hosts;                     ///< "a,b:4"; empty: this one
  std::vector<std::string> environment;  ///< names of variables that every rank gets
  std::vector<std::string> program;      ///< with its arguments
};

/// Hosts with their slots, "a:2,b:4": those without a number share the ranks evenly.
/// @throws ConfigError where a host is empty or a number of slots is none.
[[nodiscard]] std::string with_slots(const std::string& hosts, int ranks);

/// The whole command line: runs as root, with more ranks than cores, unbound (a rank's
/// communication thread needs somewhere to run), and with waiting ranks that yield.
[[nodiscard]] std::vector<std::string> mpirun_arguments(const Mpirun& mpirun,
                                                        const MpirunRequest& request);

}  // namespace convoy::launch
