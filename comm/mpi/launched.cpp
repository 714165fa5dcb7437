// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdlib>

#include "comm/mpi/mpi.h"

namespace convoy::comm::mpi {

bool launched() {
  const auto is_set = [](const char* variable) { return std::getenv(variable) != nullptr; };
  // mpirun of Open MPI, any PMIx launcher (srun --mpi=pmix), and those of MPICH and its family.
  constexpr std::array kVariables{"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"};
  if (std::ranges::any_of(kVariables, is_set)) return true;
  // srun without PMI sets these; a batch script outside srun has no SLURM_PROCID beyond 0 of its
  // own.
  return is_set("SLURM_PROCID") && is_set("SLURM_NTASKS");
}

}  // namespace convoy::comm::mpi
