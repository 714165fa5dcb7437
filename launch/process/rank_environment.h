// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace convoy::launch {

/// Which rank of how many a process is.
struct RankPlace {
  int rank = 0;
  int ranks = 1;
};

/// What mpirun or srun has put into the environment, known before MPI starts. Rank 0 of 1 where
/// there is no launcher. Where a launcher tells the rank but not their number, `ranks` is 1.
[[nodiscard]] RankPlace rank_environment();

}  // namespace convoy::launch
