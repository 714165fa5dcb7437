// SPDX-License-Identifier: Apache-2.0
#include "comm/mpi/internal/session.h"

#include <array>
#include <string>

#include "comm/internal/transport.h"

namespace convoy::comm::mpi {

void check_mpi(int rc, const char* call) {
  if (rc == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  if (MPI_Error_string(rc, text.data(), &length) != MPI_SUCCESS) length = 0;
  throw internal::TransportError(std::string(call) + ": " +
                                 std::string(text.data(), static_cast<std::size_t>(length)));
}

CommHandle::CommHandle(MPI_Comm comm) : comm_(comm) {
  check_mpi(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
}

CommHandle::~CommHandle() {
  if (comm_ == MPI_COMM_NULL) return;
  int finalized = 0;
  if (MPI_Finalized(&finalized) == MPI_SUCCESS && finalized == 0) MPI_Comm_free(&comm_);
}

}  // namespace convoy::comm::mpi
