// SPDX-License-Identifier: Apache-2.0
// How MPI ranks come by memory that they share, and what they do without.
#include <gtest/gtest.h>
#include <mpi.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/errors.h"
#include "comm/internal/transport.h"
#include "comm/internal/transport_communicator.h"
#include "comm/mpi/internal/set_up.h"
#include "comm/mpi/internal/shared_memory.h"
#include "comm/mpi/internal/transport.h"
#include "tests/comm/comm_errors.h"
#include "tests/comm/log_of_comm.h"
#include "tests/mpi_world.h"

namespace convoy::comm::mpi {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBytes = std::size_t{1} << 20;

// A communicator of the ranks' own for each test.
class SharedMemoryTest : public testing::Test {
 protected:
  [[nodiscard]] int rank() const { return tests::mpi_world().rank(); }
  [[nodiscard]] int size() const { return tests::mpi_world().size(); }
  [[nodiscard]] Sharing share(bool wanted) const {
    return share_memory(comm_.get(), kBytes, wanted, 60s);
  }

  CommHandle comm_ = SetUpCalls(MPI_COMM_WORLD, 60s).duplicate();
  std::unique_ptr<Communicator> barrier_ = tests::mpi_world().world();
};

// Less of something for this process while it lives, where it `applies`.
class Limit {
 public:
  Limit(__rlimit_resource_t what, rlim_t most, bool applies) : what_(what) {
    ::getrlimit(what_, &before_);
    rlimit now = before_;
    if (applies) now.rlim_cur = most;
    ::setrlimit(what_, &now);
    // Writing too much is an error then, and not the end.
    std::signal(SIGXFSZ, SIG_IGN);
  }
  ~Limit() { ::setrlimit(what_, &before_); }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;

 private:
  __rlimit_resource_t what_;
  rlimit before_{};
};

std::string own_mappings() {
  std::ifstream file("/proc/self/maps");
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(SharedMemoryTest, IsSeenByAllRanksAndHasNoNameInAFileSystem) {
  const auto sharing = share(true);
  ASSERT_EQ(sharing.failure, "");
  const auto memory = sharing.memory.bytes();
  ASSERT_EQ(memory.size(), kBytes);
  EXPECT_EQ(memory.back(), std::byte{0});
  memory[static_cast<std::size_t>(rank())] = static_cast<std::byte>(rank() + 1);
  barrier_->barrier().wait();
  for (int r = 0; r < size(); ++r) {
    EXPECT_EQ(memory[static_cast<std::size_t>(r)], static_cast<std::byte>(r + 1)) << r;
  }
  EXPECT_NE(own_mappings().find("/memfd:convoy-"), std::string::npos);
  EXPECT_EQ(own_mappings().find("/dev/shm/convoy"), std::string::npos);
}

TEST_F(SharedMemoryTest, IsNotMadeWhereNobodyWantsIt) {
  const auto sharing = share(false);
  EXPECT_TRUE(sharing.memory.bytes().empty());
  EXPECT_EQ(sharing.failure, "");
  EXPECT_EQ(
      make_transport(std::make_shared<Environment::State>(), comm_.get(), {.shared_memory = false})
          ->shared_area(),
      nullptr);
}

TEST_F(SharedMemoryTest, IsRefusedAtOnceWhereRanksDifferInWantingIt) {
  if (size() == 1) return;
  const auto start = std::chrono::steady_clock::now();
  try {
    (void)share(rank() != 1);
    ADD_FAILURE() << "nothing thrown";
  } catch (const ContractError& error) {
    tests::expect_match(error.what(), "shared_memory is false on rank 1 and true on rank 0");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
}

TEST_F(SharedMemoryTest, IsForNobodyWhereRankZeroGetsNone) {
  Sharing sharing;
  {
    const Limit limit(RLIMIT_FSIZE, kBytes / 2, rank() == 0);
    sharing = share(true);
  }
  EXPECT_TRUE(sharing.memory.bytes().empty());
  EXPECT_EQ(sharing.failure, "rank 0: File too large");
}

TEST_F(SharedMemoryTest, IsForNobodyWhereOneRankCannotReachIt) {
  if (size() == 1) return;
  Sharing sharing;
  {
    const Limit limit(RLIMIT_NOFILE, 3, rank() == size() - 1);
    sharing = share(true);
  }
  EXPECT_TRUE(sharing.memory.bytes().empty());
  EXPECT_EQ(sharing.failure, "rank " + std::to_string(size() - 1) + ": Too many open files");
}

TEST_F(SharedMemoryTest, IsReplacedByMessagesAndTheLogSaysSoOnce) {
  if (size() == 1) return;
  const tests::LogOfComm log;
  {
    const Limit limit(RLIMIT_FSIZE, kBytes / 2, rank() == 0);
    auto state = std::make_shared<Environment::State>();
    auto transport = make_transport(state, comm_.get());
    EXPECT_EQ(transport->shared_area(), nullptr);
    internal::TransportCommunicator first(std::move(transport), {});
    const auto second = first.duplicate();
    std::vector<float> values(100'000, 1.0F);
    second->all_reduce(std::span(values)).wait();
    EXPECT_EQ(values.back(), static_cast<float>(size()));
  }
  const std::string text = log.text();
  const auto line = text.find("sums go through messages: no memory of ");
  EXPECT_EQ(line != std::string::npos, rank() == 0) << text;
  if (rank() == 0) {
    EXPECT_EQ(text.find("sums go through messages", line + 1), std::string::npos) << text;
  }
}

TEST_F(SharedMemoryTest, WaitsForLateRanksAsLongAsItWasTold) {
  if (size() == 1) return;
  if (rank() == 0) {
    const auto text =
        tests::comm_error([&] { (void)share_memory(comm_.get(), kBytes, false, 200ms); });
    tests::expect_match(text, "rank 0/" + std::to_string(size()) +
                                  " sets up a communicator, and not all others have come within "
                                  "0.2 s .MPI_Iallgather.");
  } else {
    std::this_thread::sleep_for(600ms);
    // Ends here: rank 0's part of it is still under way.
    EXPECT_TRUE(share(false).memory.bytes().empty());
  }
  barrier_->barrier().wait();
}

}  // namespace
}  // namespace convoy::comm::mpi
