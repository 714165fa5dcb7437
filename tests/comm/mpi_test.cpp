// SPDX-License-Identifier: Apache-2.0
#include "comm/mpi/mpi.h"

#include <gtest/gtest.h>
#include <mpi.h>

#include <chrono>
#include <cstddef>
#include <iostream>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "comm/internal/transport_communicator.h"
#include "comm/mpi/internal/session.h"
#include "comm/mpi/internal/set_up.h"
#include "comm/mpi/internal/transport.h"
#include "tests/comm/values.h"
#include "tests/mpi_world.h"

namespace convoy::comm::mpi {
namespace {

using tests::first_difference;
using tests::values_of;

TEST(MpiEnvironment, KnowsItsPlaceAndLibrary) {
  EXPECT_TRUE(available());
  EXPECT_TRUE(launched());
  EXPECT_NE(version().find("MPI"), std::string::npos) << version();
  const auto world = tests::mpi_world().world();
  EXPECT_EQ(world->rank(), tests::mpi_world().rank());
  EXPECT_EQ(world->size(), tests::mpi_world().size());
  EXPECT_EQ(world->backend(), "mpi");
}

TEST(MpiEnvironment, SaysHowItKnowsOfCudaSupport) {
  const CudaSupport support = cuda_support();
  std::cout << "CUDA support: " << support.text << "\n";
  EXPECT_EQ(support.text.find('\n'), std::string::npos);
  EXPECT_NE(support.text.find(support.is_there ? "MPI takes CUDA" : "not"), std::string::npos);
}

TEST(MpiEnvironment, LeavesAnMpiThatRunsAlreadyToItsOwner) {
  {
    Environment second;
    EXPECT_EQ(second.size(), tests::mpi_world().size());
  }
  int finalized = 1;
  MPI_Finalized(&finalized);
  EXPECT_EQ(finalized, 0);
}

// Whoever waits for a sum in shared memory makes no MPI call of its own for it.
TEST(MpiTransports, MoveMessagesOfOneCommunicatorWhileAnotherSums) {
  const auto world = tests::mpi_world().world({.timeout = std::chrono::seconds(5)});
  if (world->size() == 1) return;
  const auto sums = world->duplicate();
  std::vector<int> message(std::size_t{1} << 20, world->rank() == 0 ? 7 : 0);
  std::vector<float> values(1000, 1.0F);
  Request sent;
  if (world->rank() == 0) sent = world->send(std::span<const int>(message), 1);
  if (world->rank() == 1) world->recv(std::span(message), 0).wait();
  sums->all_reduce(std::span(values)).wait();
  EXPECT_EQ(values.front(), static_cast<float>(world->size()));
  if (world->rank() == 0) sent.wait();
  if (world->rank() == 1) {
    EXPECT_EQ(message.back(), 7);
  }
}

TEST(MpiErrors, CarryTheCallAndMpisOwnText) {
  try {
    check_mpi(MPI_ERR_TRUNCATE, "MPI_Recv");
    FAIL() << "nothing thrown";
  } catch (const CommError& error) {
    EXPECT_EQ(std::string(error.what()).rfind("MPI_Recv: ", 0), 0U) << error.what();
    EXPECT_NE(std::string(error.what()).find("runc"), std::string::npos) << error.what();
  }
}

int count_free(MPI_Comm /*comm*/, int /*key*/, void* /*value*/, void* frees) {
  ++*static_cast<int*>(frees);
  return MPI_SUCCESS;
}

TEST(MpiHandle, FreesOnceHoweverOftenItMoves) {
  int key = MPI_KEYVAL_INVALID;
  int frees = 0;
  check_mpi(MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, count_free, &key, &frees), "keyval");
  {
    CommHandle first = SetUpCalls(MPI_COMM_WORLD, std::chrono::seconds(60)).duplicate();
    check_mpi(MPI_Comm_set_attr(first.get(), key, nullptr), "attribute");
    CommHandle second = std::move(first);
    CommHandle third;
    third = std::move(second);
    EXPECT_EQ(first.get(), MPI_COMM_NULL);  // NOLINT(bugprone-use-after-move): that is the point
    EXPECT_EQ(frees, 0);
  }
  EXPECT_EQ(frees, 1);
  MPI_Comm_free_keyval(&key);
}

std::unique_ptr<Communicator> world_with(bool serialized, std::size_t max_message_bytes) {
  auto state = std::make_shared<Environment::State>();
  state->serialized = serialized;
  return std::make_unique<internal::TransportCommunicator>(
      make_transport(state, MPI_COMM_WORLD, {.max_message_bytes = max_message_bytes}),
      CommunicatorOptions{});
}

// What MPI_THREAD_SERIALIZED needs, and counts that end early, as MPI's do at 2^31 - 1.
TEST(MpiTransport, TakesTurnsAndSplitsLongMessages) {
  const auto world = world_with(true, 4000);
  const int next = (world->rank() + 1) % world->size();
  const int previous = (world->rank() + world->size() - 1) % world->size();
  const auto& out = values_of<double>(world->rank(), 10'001);
  std::vector<double> in(out.size());
  auto receiving = world->recv(std::span(in), previous);
  world->send(std::span(out), next).wait();
  receiving.wait();
  EXPECT_EQ(first_difference(in, values_of<double>(previous, 10'001)), "");
  auto sums = values_of<float>(world->rank(), 50'000);
  world->duplicate()->all_reduce(std::span(sums)).wait();
  EXPECT_EQ(first_difference(
                sums, tests::expected_reduction<float>(world->size(), 50'000, 0, ReduceOp::kSum)),
            "");
}

// The owner stays alive in the poisoned communicator: nothing has to be waited for.
TEST(MpiTransport, AnExceptionDropsARequestWhoseBufferHasAnOwner) {
  const auto world = world_with(false, 1 << 20);
  const auto start = std::chrono::steady_clock::now();
  const auto values = std::make_shared<std::vector<float>>(10);
  try {
    const auto pending = world->recv({std::span(*values), values}, world->rank());
    throw std::runtime_error("stop");
  } catch (const std::runtime_error&) {
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  }
  EXPECT_TRUE(world->poisoned());
  EXPECT_GT(values.use_count(), 1);
}

TEST(MpiTransport, NamesBothSizesOfAMismatch) {
  for (const std::size_t sent : {7, 9, 100'000}) {
    const auto world = world_with(false, 1 << 20);
    if (world->size() == 1) return;
    std::vector<float> values(world->rank() == 0 ? sent : 8);
    if (world->rank() == 0) {
      // A short one is gone at once; nobody ever takes the rest of a long one.
      auto request = world->send(std::span(values), 1);
      if (sent < 100) {
        request.wait();
      } else {
        EXPECT_THROW(request.wait(std::chrono::milliseconds(100)), CommError);
      }
    }
    if (world->rank() == 1) {
      try {
        world->recv(std::span(values), 0).wait();
        ADD_FAILURE() << "nothing thrown";
      } catch (const CommError& error) {
        EXPECT_EQ(error.what(), "recv rank 1/" + std::to_string(world->size()) +
                                    ", 8 float32: rank 0 sent " + std::to_string(sent * 4) +
                                    " bytes where 32 were expected");
      }
      EXPECT_TRUE(world->poisoned());
    }
    tests::mpi_world().world()->barrier().wait();
  }
}

}  // namespace
}  // namespace convoy::comm::mpi
