// SPDX-License-Identifier: Apache-2.0
#include "comm/mpi/internal/shared_memory.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/errors.h"
#include "base/hash.h"
#include "comm/mpi/internal/set_up.h"

namespace convoy::comm::mpi {
namespace {

// A file of this process; closed at the end.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

// What rank 0 tells the others: where its memory is, and a number that no other memory has.
struct Offer {
  pid_t process = 0;
  int fd = -1;
  std::uint64_t number = 0;
};

std::string name_of(std::uint64_t number) { return fmt::format("convoy-{:016x}", number); }

std::uint64_t draw_number() {
  std::random_device random;
  return (std::uint64_t{random()} << 32) | random();
}

// Allocated at once: memory that is missing later would kill the process. errno says why not.
int create(const std::string& name, std::size_t bytes) {
  const int fd = ::memfd_create(name.c_str(), MFD_CLOEXEC);
  if (fd < 0) return -1;
  int error = EINTR;
  while (error == EINTR) error = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes));
  if (error == 0) return fd;
  ::close(fd);
  errno = error;
  return -1;
}

// The same number of a process may be another one here: containers count apart.
int open_offered(const Offer& offer) {
  const auto path = fmt::format("/proc/{}/fd/{}", offer.process, offer.fd);
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  if (length < 0) return -1;
  const std::string_view found(target.data(), static_cast<std::size_t>(length));
  if (found.find(name_of(offer.number)) == std::string_view::npos) {
    errno = ESRCH;
    return -1;
  }
  return ::open(path.c_str(), O_RDWR | O_CLOEXEC);
}

std::span<std::byte> map(const File& file, std::size_t bytes) {
  if (file.fd() < 0) return {};
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd(), 0);
  if (memory == MAP_FAILED) return {};
  return {static_cast<std::byte*>(memory), bytes};
}

// True if all ranks want memory and are on one host.
bool is_of_use(const SetUpCalls& all, bool wanted) {
  struct Place {
    std::uint64_t host = 0;
    std::uint64_t wanted = 0;
  };
  std::array<char, MPI_MAX_PROCESSOR_NAME> name{};
  int length = 0;
  check_mpi(MPI_Get_processor_name(name.data(), &length), "MPI_Get_processor_name");
  const auto host = std::as_bytes(std::span(name)).first(static_cast<std::size_t>(length));
  const auto places = all.gather(Place{hash64(host), wanted ? 1U : 0U});
  const Place& first = places.front();
  for (std::size_t rank = 1; rank < places.size(); ++rank) {
    if (places[rank].wanted == first.wanted) continue;
    throw ContractError(fmt::format(
        "CommunicatorOptions::shared_memory is {} on rank {} and {} on rank 0: all ranks need the "
        "same",
        places[rank].wanted != 0, rank, first.wanted != 0));
  }
  return wanted &&
         std::ranges::all_of(places, [&](const Place& place) { return place.host == first.host; });
}

// Who could not, and why; empty when all could.
std::string first_failure(const std::vector<int>& errors) {
  const auto failed = std::ranges::find_if(errors, [](int error) { return error != 0; });
  if (failed == errors.end()) return "";
  return fmt::format("rank {}: {}", failed - errors.begin(), std::strerror(*failed));
}

}  // namespace

SharedMemory::~SharedMemory() {
  if (!memory_.empty()) ::munmap(memory_.data(), memory_.size());
}

Sharing share_memory(MPI_Comm comm, std::size_t bytes, bool wanted,
                     std::chrono::milliseconds timeout) {
  const SetUpCalls all(comm, timeout);
  if (!is_of_use(all, wanted)) return {};
  int rank = 0;
  check_mpi(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
  const std::uint64_t number = draw_number();
  const File own(rank == 0 ? create(name_of(number), bytes) : -1);
  const int own_error = rank == 0 && own.fd() < 0 ? errno : 0;
  const Offer offer = all.gather(Offer{::getpid(), own.fd(), number}).front();
  // Without an offer all learn from rank 0 why there is none.
  const bool offered = offer.fd >= 0;
  const File opened(rank != 0 && offered ? open_offered(offer) : -1);
  Sharing result{SharedMemory(map(rank == 0 ? own : opened, bytes)), ""};
  const bool missing = offered && result.memory.bytes().empty();
  result.failure = first_failure(all.gather(missing ? errno : own_error));
  if (!result.failure.empty()) result.memory = {};
  return result;
}

}  // namespace convoy::comm::mpi
