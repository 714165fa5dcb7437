// SPDX-License-Identifier: Apache-2.0
#include "comm/local/local.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/errors.h"
#include "comm/mpi/mpi.h"
#include "comm/nccl/nccl.h"

namespace convoy::comm {
namespace {

using namespace std::chrono_literals;

// Far longer than any of these tests may take: failures must come at once.
CommunicatorOptions patient() {
  CommunicatorOptions options;
  options.timeout = 100s;
  return options;
}

TEST(LocalRun, GivesEveryRankItsPlace) {
  std::atomic<int> seen{0};
  local::run(4, [&](Communicator& c) {
    EXPECT_EQ(c.size(), 4);
    EXPECT_EQ(c.backend(), "local");
    seen += 1 << c.rank();
  });
  EXPECT_EQ(seen, 15);
  EXPECT_THROW(local::run(0, [](Communicator&) {}), ContractError);
}

TEST(LocalRun, ThrowsTheFirstRanksExceptionAndEndsTheOthersWaits) {
  std::atomic<int> named{0};
  try {
    local::run(
        3,
        [&](Communicator& c) {
          const auto part = c.duplicate();
          if (c.rank() == 1) throw std::runtime_error("out of luck");
          std::vector<float> values(100'000);
          try {
            (c.rank() == 0 ? c : *part).all_reduce(std::span(values)).wait();
          } catch (const CommError& error) {
            if (std::string(error.what()).find("rank 1 has left") != std::string::npos) ++named;
            throw;
          }
        },
        patient());
    FAIL() << "nothing thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "out of luck");
  }
  // Whoever notices second may name the one that noticed first.
  EXPECT_GE(named, 1);
}

TEST(LocalRun, AnExceptionDoesNotWaitForPendingRequests) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW(local::run(
                   2,
                   [](Communicator& c) {
                     std::vector<float> values(100'000);
                     auto pending = c.recv(std::span(values), 1 - c.rank());
                     if (c.rank() == 0) throw std::invalid_argument("stop");
                     pending.wait();
                   },
                   patient()),
               std::invalid_argument);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
}

TEST(LocalWorld, DestroyingARankFailsThoseWhoWaitForIt) {
  auto world = local::make_world(3, patient());
  std::vector<int> value(2);
  auto waiting = world[0]->recv(std::span(value), 2);
  auto other = world[1]->recv(std::span(value).first(1), 0);
  world[2].reset();
  try {
    waiting.wait();
    FAIL() << "nothing thrown";
  } catch (const CommError& error) {
    EXPECT_STREQ(error.what(), "recv rank 0/3, 2 int32: rank 2 has left the communicator");
  }
  EXPECT_FALSE(world[1]->poisoned());
  world[0].reset();
  EXPECT_THROW(other.wait(), CommError);
}

TEST(LocalWorld, WhatASmallSendLeftBehindIsStillReceived) {
  auto world = local::make_world(2, patient());
  const std::vector<int> sent{1, 2, 3};
  world[1]->send(std::span(sent), 0).wait();
  world[1].reset();
  std::vector<int> got(3);
  world[0]->recv(std::span(got), 1).wait();
  EXPECT_EQ(got, sent);
}

TEST(LocalWorld, RequestsMayOutliveTheirCommunicator) {
  auto world = local::make_world(2, patient());
  std::vector<int> value(1);
  auto request = world[0]->recv(std::span(value), 1);
  world[0].reset();
  EXPECT_THROW(request.wait(), CommError);
}

TEST(MissingBackends, SayWhatIsMissing) {
  EXPECT_NE(mpi::version(), "");
  EXPECT_EQ(nccl::available(), nccl::missing().empty());
}

}  // namespace
}  // namespace convoy::comm
