// SPDX-License-Identifier: Apache-2.0
#include "launch/process/rank_environment.h"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <optional>

#include "comm/mpi/mpi.h"

namespace convoy::launch {
namespace {

/// The first of the variables that is set.
std::optional<int> number(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* text = std::getenv(name);
    if (text != nullptr && *text != '\0') return std::atoi(text);
  }
  return std::nullopt;
}

}  // namespace

RankPlace rank_environment() {
  if (!comm::mpi::launched()) return {};
  RankPlace place;
  place.rank =
      number({"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID"}).value_or(0);
  place.ranks = number({"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_NTASKS"}).value_or(1);
  place.rank = std::max(place.rank, 0);
  place.ranks = std::max(place.ranks, place.rank + 1);
  return place;
}

}  // namespace convoy::launch
