// SPDX-License-Identifier: Apache-2.0
#include <mpi.h>
#if __has_include(<mpi-ext.h>)
#include <mpi-ext.h>
#endif

#include "comm/mpi/mpi.h"

namespace convoy::comm::mpi {

// Open MPI and its family declare MPIX_Query_cuda_support() in mpi-ext.h, and then say how they
// were built in MPIX_CUDA_AWARE_SUPPORT; MPICH has a question for each kind of device in mpi.h.
CudaSupport cuda_support() {
#if defined(MPIX_GPU_SUPPORT_CUDA)
  int is_there = 0;
  const bool answered = MPIX_GPU_query_support(MPIX_GPU_SUPPORT_CUDA, &is_there) == MPI_SUCCESS;
  if (answered && is_there != 0)
    return {true, "MPI takes CUDA device memory (MPIX_GPU_query_support)"};
  return {false, "MPI says that it does not take CUDA device memory (MPIX_GPU_query_support)"};
#elif defined(MPIX_CUDA_AWARE_SUPPORT)
  if (MPIX_Query_cuda_support() == 1) {
    return {true, "MPI takes CUDA device memory (MPIX_Query_cuda_support)"};
  }
  return {false, "MPI says that it does not take CUDA device memory (MPIX_Query_cuda_support)"};
#else
  return {false, "the headers of the MPI that convoy was built with cannot ask for CUDA support"};
#endif
}

}  // namespace convoy::comm::mpi
