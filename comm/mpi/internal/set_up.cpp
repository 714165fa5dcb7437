// SPDX-License-Identifier: Apache-2.0
#include "comm/mpi/internal/set_up.h"

#include <spdlog/fmt/fmt.h>

#include <cstring>
#include <thread>
#include <utility>

#include "comm/internal/transport.h"

namespace convoy::comm::mpi {
namespace {

using Clock = std::chrono::steady_clock;

// Ranks come at about the same time; who has waited for longer leaves its core to others.
constexpr std::chrono::milliseconds kSpin{1};
constexpr std::chrono::microseconds kNap{100};

}  // namespace

void SetUpCalls::finish(MPI_Request request, const char* call, std::shared_ptr<void> memory) const {
  const auto start = Clock::now();
  for (;;) {
    int done = 0;
    check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), call);
    if (done != 0) return;
    const auto waited = Clock::now() - start;
    if (waited >= timeout_) break;
    if (waited < kSpin) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(kNap);
    }
  }
  // MPI may still write there.
  static_cast<void>(new std::shared_ptr<void>(std::move(memory)));
  int rank = 0;
  int size = 0;
  check_mpi(MPI_Comm_rank(comm_, &rank), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(comm_, &size), "MPI_Comm_size");
  throw internal::TransportError(
      fmt::format("rank {}/{} sets up a communicator, and not all others have come within {:.1f} s "
                  "({})",
                  rank, size, std::chrono::duration<double>(timeout_).count(), call));
}

CommHandle SetUpCalls::duplicate() const {
  const auto copy = std::make_shared<MPI_Comm>(MPI_COMM_NULL);
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Comm_idup(comm_, copy.get(), &request), "MPI_Comm_idup");
  finish(request, "MPI_Comm_idup", copy);
  return CommHandle(*copy);
}

std::vector<std::byte> SetUpCalls::gather_bytes(const void* own, std::size_t bytes) const {
  int size = 0;
  check_mpi(MPI_Comm_size(comm_, &size), "MPI_Comm_size");
  // The own part first, then everybody's.
  const auto memory =
      std::make_shared<std::vector<std::byte>>(bytes * (static_cast<std::size_t>(size) + 1));
  std::memcpy(memory->data(), own, bytes);
  const int count = static_cast<int>(bytes);
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallgather(memory->data(), count, MPI_BYTE, memory->data() + bytes, count, MPI_BYTE,
                           comm_, &request),
            "MPI_Iallgather");
  finish(request, "MPI_Iallgather", memory);
  return {memory->begin() + count, memory->end()};
}

}  // namespace convoy::comm::mpi
