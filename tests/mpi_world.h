// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comm/mpi/mpi.h"

namespace convoy::tests {

/// The MPI of a test program that convoy_add_test() made with RANKS.
comm::mpi::Environment& mpi_world();

}  // namespace convoy::tests
