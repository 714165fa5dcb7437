// SPDX-License-Identifier: Apache-2.0
// What is said and done when a rank is lost, late or fails, and that nothing is left behind.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/errors.h"
#include "comm/local/local.h"
#include "comm/nccl/nccl.h"
#include "tests/comm/comm_errors.h"
#include "tests/comm/worlds.h"
#include "tests/nccl_double/device_view.h"
#include "tests/nccl_double/nccl_double.h"

namespace convoy::tests {
namespace {

using comm::Communicator;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// The shared tests' world, with faults.
void run(int ranks, const Body& body, const comm::CommunicatorOptions& options,
         const comm::nccl::Options& nccl = {}) {
  comm::local::run(
      ranks,
      [&](Communicator& bootstrap) { body(*as_device_memory(comm::nccl::make(bootstrap, nccl))); },
      options);
}

// Rank 2 of 4 stays away until all others have failed.
void with_rank_two_absent(const Body& body, const comm::nccl::Options& nccl = {}) {
  std::atomic<int> failed{0};
  run(
      4,
      [&](Communicator& c) {
        c.barrier().wait();
        if (c.rank() != 2) {
          body(c);
          ++failed;
        }
        while (failed < 3) std::this_thread::sleep_for(1ms);
      },
      with(60s), nccl);
}

TEST(NcclTimeout, AbortsAndNamesRankAndOperation) {
  const NcclDouble cuda({.all_memory_is_device = true});
  with_rank_two_absent([](Communicator& c) {
    std::vector<float> values(4096);
    auto request = c.all_reduce(std::span(values));
    EXPECT_FALSE(c.poisoned());
    const auto text = comm_error([&] { request.wait(150ms); });
    EXPECT_EQ(text, "all_reduce rank " + std::to_string(c.rank()) +
                        "/4, 4096 float32 (sequence 2): not complete within 0.1 s (NCCL does not "
                        "tell which rank is late)");
    EXPECT_TRUE(c.poisoned());
    expect_match(comm_error([&] { c.barrier().wait(); }), "barrier rank .*poisoned: all_reduce");
    expect_match(comm_error([&] { static_cast<void>(c.duplicate()); }), "poisoned: all_reduce");
  });
}

TEST(NcclTimeout, NamesTheLateRankWhereCallsAreChecked) {
  const NcclDouble cuda({.all_memory_is_device = true});
  with_rank_two_absent(
      [](Communicator& c) {
        std::vector<float> values(4096);
        auto request = c.all_reduce(std::span(values));
        expect_match(comm_error([&] { request.wait(150ms); }),
                     "^all_reduce rank ./4.*sequence 2.: (rank 2 has not come within 0.1 s|"
                     ".*rank [0-3] has left)");
      },
      {.check_calls = true});
}

TEST(NcclTimeout, OfASendAndARecvNamesThePeer) {
  const NcclDouble cuda({.all_memory_is_device = true});
  for (const bool sends : {true, false}) {
    std::atomic<bool> over{false};
    run(
        2,
        [&](Communicator& c) {
          while (c.rank() == 1 && !over) std::this_thread::sleep_for(1ms);
          if (c.rank() == 1) return;
          std::vector<float> values(100'000);
          auto request = sends ? c.send(std::span(values), 1) : c.recv(std::span(values), 1);
          expect_match(comm_error([&] { request.wait(100ms); }),
                       sends ? "^send rank 0/2, .*: rank 1 has not taken its data within 0.1 s"
                             : "^recv rank 0/2, .*: no data from rank 1 within 0.1 s");
          over = true;
        },
        with(60s));
  }
}

// A place that this rank never uses holds back the rest, and says so.
TEST(NcclTimeout, NamesThePlaceThatWasNotCalled) {
  const NcclDouble cuda({.all_memory_is_device = true});
  run(
      1,
      [](Communicator& c) {
        static_cast<void>(c.reserve(1, comm::PlaceFor::kAllReduce));
        int value = 1;
        auto request = c.all_reduce(std::span(&value, 1));
        expect_match(comm_error([&] { request.wait(100ms); }),
                     "sequence 2.: not begun within 0.1 s: place 1 before it has not been called");
      },
      with(60s));
}

// The device of rank 1 hangs: the calls are made, and the stream never comes to them.
TEST(NcclLostRank, AbortFreesTheStreams) {
  const NcclDouble cuda({.all_memory_is_device = true, .lost_ranks = {1}});
  const auto start = Clock::now();
  run(
      3,
      [](Communicator& c) {
        std::vector<float> first(1000);
        std::vector<float> second(1000);
        auto one = c.all_reduce(std::span(first));
        auto two = c.broadcast(std::span(second), 0);
        expect_match(comm_error([&] { two.wait(200ms); }), "broadcast rank ./3, .*not complete");
        expect_match(comm_error([&] { one.wait(); }), "poisoned: broadcast rank ./3");
        // Nothing writes there any more: other values stay.
        std::fill(first.begin(), first.end(), 7.0F);
        std::this_thread::sleep_for(20ms);
        EXPECT_EQ(first, std::vector<float>(1000, 7.0F));
      },
      with(60s));
  EXPECT_LT(Clock::now() - start, 20s);
}

TEST(NcclSetUp, TimesOutWhereARankDoesNotCome) {
  const NcclDouble cuda({.absent_ranks = {1}});
  comm::local::run(
      2,
      [](Communicator& bootstrap) {
        const auto text = comm_error([&] { (void)comm::nccl::make(bootstrap); });
        expect_match(
            text,
            "^nccl set-up rank ([01])/2, device \\1: ncclCommInitRankConfig: not all ranks "
            "have come within 0.3 s$");
      },
      with(300ms));
}

// As after an earlier job that has left a device broken.
TEST(NcclSetUp, SaysWhyItFailed) {
  const NcclDouble cuda;
  comm::local::run(
      2,
      [](Communicator& bootstrap) {
        // Both on one device, which NCCL refuses.
        const auto text = comm_error([&] { (void)comm::nccl::make(bootstrap, {.device = 5}); });
        expect_match(text, "^nccl set-up rank ./2, device 5: .*(invalid usage|not all ranks)");
      },
      with(300ms));
}

TEST(NcclAsyncError, IsFoundWhileWaitingAndReachesThePeers) {
  NcclDouble cuda({.all_memory_is_device = true, .aborts_are_seen = true});
  const auto start = Clock::now();
  run(
      3,
      [&](Communicator& c) {
        std::vector<float> values(1000);
        c.all_reduce(std::span(values)).wait();
        c.barrier().wait();
        if (c.rank() == 1) cuda.fail(1, ncclSystemError);
        const auto text = comm_error([&] { c.all_reduce(std::span(values)).wait(); });
        expect_match(text, c.rank() == 1
                               ? "^all_reduce rank 1/3, 1000 float32 .sequence 3.: .*unhandled "
                                 "system error"
                               : "^all_reduce rank ./3.*remote process exited");
        EXPECT_TRUE(c.poisoned());
      },
      with(60s));
  EXPECT_LT(Clock::now() - start, 20s);
}

TEST(NcclAgain, ANewCommunicatorWorksAfterAnAbort) {
  const NcclDouble cuda({.all_memory_is_device = true});
  comm::local::run(
      3,
      [](Communicator& bootstrap) {
        std::vector<int> values(1000, 1);
        {
          const auto lost = as_device_memory(comm::nccl::make(bootstrap));
          if (bootstrap.rank() != 2) {
            auto request = lost->all_reduce(std::span(values));
            EXPECT_NE(comm_error([&] { request.wait(100ms); }), "no CommError");
          }
        }
        EXPECT_FALSE(bootstrap.poisoned());
        std::fill(values.begin(), values.end(), 1);
        const auto again = as_device_memory(comm::nccl::make(bootstrap));
        again->all_reduce(std::span(values)).wait();
        EXPECT_EQ(values, std::vector<int>(1000, 3));
      },
      with(60s));
}

TEST(NcclDestructor, OfACommunicatorFailsWhatIsUnderWay) {
  const NcclDouble cuda({.all_memory_is_device = true});
  comm::local::run(
      2,
      [](Communicator& bootstrap) {
        std::vector<float> values(100);
        auto c = as_device_memory(comm::nccl::make(bootstrap));
        comm::Request request;
        if (c->rank() == 0) request = c->all_reduce(std::span(values));
        c.reset();
        if (bootstrap.rank() == 1) return;
        expect_match(comm_error([&] { request.wait(); }), "the communicator was destroyed while");
      },
      with(60s));
}

TEST(NcclDestructor, DuringAnExceptionAbortsInsteadOfWaiting) {
  const NcclDouble cuda({.all_memory_is_device = true});
  const auto start = Clock::now();
  with_rank_two_absent([](Communicator& c) {
    std::vector<float> values(100'000);
    try {
      const auto request = c.all_reduce(std::span(values));
      throw std::runtime_error("elsewhere");
    } catch (const std::runtime_error&) {
      EXPECT_TRUE(c.poisoned());
    }
  });
  EXPECT_LT(Clock::now() - start, 20s);
}

TEST(NcclGiveUp, FailsWhatIsUnderWayAtOnce) {
  const NcclDouble cuda({.all_memory_is_device = true});
  with_rank_two_absent([](Communicator& c) {
    std::vector<float> values(1000);
    auto request = c.all_reduce(std::span(values));
    c.give_up("the optimizer is broken");
    EXPECT_TRUE(c.poisoned());
    expect_match(comm_error([&] { request.wait(); }),
                 "^all_reduce rank ./4.*poisoned: the optimizer is broken");
  });
}

// Peers that wait on the host side: in a sum of host memory, a barrier or a split, or for the marks
// of a checked call.
TEST(NcclGiveUp, TellsPeersOnTheHostWhy) {
  const NcclDouble cuda;
  const auto start = Clock::now();
  const std::vector<std::function<void(Communicator&)>> waits{
      [](Communicator& c) {
        std::vector<float> values(1000);
        c.all_reduce(std::span(values)).wait();
      },
      [](Communicator& c) { c.barrier().wait(); },
      [](Communicator& c) { static_cast<void>(c.duplicate()); }};
  for (const bool checks : {false, true}) {
    for (const auto& wait : waits) {
      comm::local::run(
          3,
          [&](Communicator& bootstrap) {
            const auto c = comm::nccl::make(bootstrap, {.check_calls = checks});
            c->barrier().wait();  // all have it
            if (c->rank() == 1) return c->give_up("the optimizer is broken");
            expect_match(comm_error([&] { wait(*c); }), "the optimizer is broken");
          },
          with(60s));
    }
  }
  EXPECT_LT(Clock::now() - start, 20s);
}

// Without checked calls: host communicators compare contexts themselves.
TEST(NcclContext, OfAHostCallIsCompared) {
  const NcclDouble cuda;
  comm::local::run(
      2,
      [](Communicator& bootstrap) {
        const auto c = comm::nccl::make(bootstrap);
        std::vector<float> values(1000);
        c->set_context(7);
        c->all_reduce(std::span(values)).wait();
        c->set_context(c->rank() == 0 ? 7 : 8);
        expect_match(comm_error([&] { c->all_reduce(std::span(values)).wait(); }),
                     "context|has left|poisoned");
      },
      with(60s));
}

TEST(NcclOwners, AreHeldUntilTheSumIsOverAndLetGoAfterAnAbort) {
  const NcclDouble cuda({.all_memory_is_device = true});
  with_rank_two_absent([](Communicator& c) {
    const auto values = std::make_shared<std::vector<float>>(1000);
    {
      auto request = c.all_reduce({std::span(*values), values});
      EXPECT_GT(values.use_count(), 1);
      EXPECT_NE(comm_error([&] { request.wait(100ms); }), "no CommError");
    }
    EXPECT_EQ(values.use_count(), 1);
  });
}

}  // namespace
}  // namespace convoy::tests
