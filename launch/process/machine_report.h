// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "comm/communicator.h"
#include "launch/process/gpu_parts.h"
#include "launch/process/hardware.h"

namespace convoy::launch {

/// One way of communicating, and why it cannot be used where it cannot.
struct BackendReport {
  std::string name;
  bool built = false;
  bool usable = false;
  std::string detail;  ///< version, or what is missing
};

/// What `convoy info` prints.
struct MachineReport {
  std::string convoy;
  std::string compiler;
  std::string libtorch;
  std::string mpi;
  std::vector<BackendReport> backends;
  std::string transport;     ///< what the ranks' data travels on: "mpi" | "tcp" | "local"
  bool fast_fabric = false;  ///< as has_fast_fabric(), on rank 0
  int ranks = 1;
  std::vector<std::string> hosts;  ///< one for each rank
  std::vector<std::string> devices;
  GpuParts gpu;     ///< of rank 0
  int cores = 1;    ///< that this process may use
  int threads = 1;  ///< that LibTorch uses
  BlasLibrary blas;
  double gemm_gflops = 0.0;  ///< of this rank, all ranks computing at once
};

/// Measures; about half a second. Collective.
[[nodiscard]] MachineReport make_machine_report(comm::Communicator& communicator);

/// One JSON document, with "gemm": {"warning"} as gemm_warning().
[[nodiscard]] std::string to_json(const MachineReport& report);
/// For people.
[[nodiscard]] std::string to_text(const MachineReport& report);
/// What is wrong with a matrix product that is far too slow, and what to install; else empty.
[[nodiscard]] std::string gemm_warning(const MachineReport& report);

}  // namespace convoy::launch
