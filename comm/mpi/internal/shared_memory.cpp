// SPDX-License-Identifier: Apache-2.0
#include "comm/mpi/internal/shared_memory.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <random>

#include "comm/mpi/internal/session.h"

namespace convoy::comm::mpi {
namespace {

using Name = std::array<char, 64>;

bool all_agree(MPI_Comm comm, bool yes) {
  int all = yes ? 1 : 0;
  check_mpi(MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT, MPI_MIN, comm), "MPI_Allreduce");
  return all == 1;
}

bool on_one_host(MPI_Comm comm) {
  MPI_Comm near = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &near),
            "MPI_Comm_split_type");
  const CommHandle handle(near);
  int size = 0;
  int near_size = 0;
  check_mpi(MPI_Comm_size(comm, &size), "MPI_Comm_size");
  check_mpi(MPI_Comm_size(near, &near_size), "MPI_Comm_size");
  return all_agree(comm, near_size == size);
}

Name unused_name() {
  std::random_device random;
  const std::uint64_t number = (std::uint64_t{random()} << 32) | random();
  Name name{};
  fmt::format_to_n(name.data(), name.size() - 1, "/convoy-{}-{:016x}", ::getpid(), number);
  return name;
}

// Allocated at once: memory that is missing later would kill the process.
int create(const Name& name, std::size_t bytes) {
  const int file = ::shm_open(name.data(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file >= 0 && ::posix_fallocate(file, 0, static_cast<off_t>(bytes)) == 0) return file;
  if (file >= 0) ::close(file);
  return -1;
}

std::span<std::byte> map(int file, std::size_t bytes) {
  if (file < 0) return {};
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (memory == MAP_FAILED) return {};
  return {static_cast<std::byte*>(memory), bytes};
}

}  // namespace

SharedMemory::~SharedMemory() {
  if (!memory_.empty()) ::munmap(memory_.data(), memory_.size());
}

SharedMemory share_memory(MPI_Comm comm, std::size_t bytes) {
  SharedMemory result;
  int rank = 0;
  check_mpi(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
  if (!on_one_host(comm)) return result;
  Name name = unused_name();
  if (rank == 0) result.memory_ = map(create(name, bytes), bytes);
  check_mpi(MPI_Bcast(name.data(), static_cast<int>(name.size()), MPI_CHAR, 0, comm), "MPI_Bcast");
  if (rank != 0) result.memory_ = map(::shm_open(name.data(), O_RDWR | O_CLOEXEC, 0), bytes);
  const bool ok = all_agree(comm, !result.memory_.empty());
  // Nobody needs the name any more: from here on nothing is left behind, however the ranks end.
  if (rank == 0) ::shm_unlink(name.data());
  return ok ? std::move(result) : SharedMemory();
}

}  // namespace convoy::comm::mpi
