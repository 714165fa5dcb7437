// SPDX-License-Identifier: Apache-2.0
// What staged ranks say and do when a rank is lost or a device fails, and that nothing is left.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
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
#include "comm/nccl/staging.h"
#include "tests/comm/comm_errors.h"
#include "tests/nccl_double/nccl_double.h"
#include "tests/nccl_double/on_device.h"

namespace convoy::comm::nccl {
namespace {

using tests::comm_error;
using tests::expect_match;
using tests::NcclDouble;
using tests::OnDevice;
using tests::with;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Ranks 0 and 2 of 4 are staged; rank 3 stays away until all others have failed.
void with_rank_three_absent(const std::function<void(Communicator&)>& body) {
  std::atomic<int> failed{0};
  std::barrier all_are_here(4);  // one of `host` may fail where another rank is through it already
  const auto start = Clock::now();
  local::run(
      4,
      [&](Communicator& host) {
        all_are_here.arrive_and_wait();
        if (host.rank() != 3) {
          const auto staged = host.rank() == 1 ? nullptr : stage(host, {.device = host.rank()});
          body(staged == nullptr ? host : *staged);
          ++failed;
        }
        while (failed < 3) std::this_thread::sleep_for(1ms);
      },
      with(60s));
  EXPECT_LT(Clock::now() - start, 20s);
}

// A buffer of the rank's kind.
struct Memory {
  explicit Memory(const Communicator& c) : on_host(c.rank() % 2 == 1) {}
  [[nodiscard]] Buffer buffer() { return on_host ? Buffer(std::span(host)) : device.buffer(); }
  bool on_host;
  std::vector<float> host = std::vector<float>(4096, 1.0F);
  OnDevice<float> device{host};
};

TEST(StagingTimeout, NamesTheLateRank) {
  const NcclDouble cuda;
  with_rank_three_absent([](Communicator& c) {
    Memory memory(c);
    auto request = c.all_reduce(memory.buffer());
    EXPECT_FALSE(c.poisoned());
    expect_match(comm_error([&] { request.wait(300ms); }),
                 "^all_reduce rank ./4, 4096 float32 .sequence 1.: (no data from rank 3 within "
                 "0.. s|rank . has left|.*poisoned)");
    EXPECT_TRUE(c.poisoned());
    expect_match(comm_error([&] { c.barrier().wait(); }), "barrier rank .*poisoned: all_reduce");
    expect_match(comm_error([&] { c.all_reduce(memory.buffer()).wait(); }), "poisoned: all_reduce");
    expect_match(comm_error([&] { static_cast<void>(c.duplicate()); }), "poisoned: all_reduce");
  });
}

TEST(StagingTimeout, OfAMessageNamesThePeer) {
  for (const bool sends : {true, false}) {
    const NcclDouble cuda;
    std::atomic<bool> over{false};
    local::run(
        2,
        [&](Communicator& host) {
          while (host.rank() == 1 && !over) std::this_thread::sleep_for(1ms);
          if (host.rank() == 1) return;
          const auto c = stage(host, {.device = 0});
          const OnDevice<float> values(std::vector<float>(100'000));
          auto request = sends ? c->send(values.buffer(), 1) : c->recv(values.buffer(), 1);
          expect_match(
              comm_error([&] { request.wait(200ms); }),
              sends ? "^send rank 0/2, .*rank 1" : "^recv rank 0/2, .*no data from rank 1");
          over = true;
        },
        with(60s));
  }
}

// The device does not come to the copy: the buffers are kept for ever.
TEST(StagingTimeout, OfADeviceThatHangsIsOneOfTheRank) {
  NcclDouble cuda({.stopped_devices = {0}});
  local::run(
      2,
      [](Communicator& host) {
        Memory memory(host);
        if (host.rank() == 1) {
          expect_match(comm_error([&] { host.all_reduce(memory.buffer()).wait(); }),
                       "rank 0 has left .*the device has not come to it within 0.2 s");
          return;
        }
        const auto c = stage(host, {.device = 0});
        expect_match(comm_error([&] { c->all_reduce(memory.buffer()).wait(200ms); }),
                     "^all_reduce rank 0/2, 4096 float32 .sequence 1.: the device has not come to "
                     "it within 0.2 s$");
        EXPECT_TRUE(c->poisoned());
      },
      with(60s));
  cuda.set({});
  const auto counters = cuda.take_counters();
  EXPECT_EQ(counters.uses_after_free + counters.wrong_memory + counters.double_frees, 0);
  EXPECT_GT(counters.pinned_blocks, 0);
}

TEST(StagingDeviceError, NamesTheCallAndReachesThePeers) {
  NcclDouble cuda;
  std::atomic<int> failed{0};
  local::run(
      3,
      [&](Communicator& host) {
        Memory memory(host);
        const auto staged = host.rank() == 1 ? nullptr : stage(host, {.device = host.rank()});
        Communicator& c = staged == nullptr ? host : *staged;
        c.all_reduce(memory.buffer()).wait();
        c.barrier().wait();
        if (host.rank() == 0) cuda.set({.broken_devices = {0}});
        const auto text = comm_error([&] { c.all_reduce(memory.buffer()).wait(); });
        if (host.rank() == 0) {
          expect_match(text,
                       "^all_reduce rank 0/3, 4096 float32 .sequence 3.: cudaMemcpyAsync: .*700");
        } else {
          expect_match(text, "^all_reduce rank ./3.*(rank 0 has left|cudaMemcpyAsync)");
        }
        EXPECT_TRUE(c.poisoned());
        ++failed;
        const auto start = Clock::now();
        while (failed < 3 && Clock::now() - start < 10s) std::this_thread::sleep_for(1ms);
        EXPECT_EQ(failed, 3);
      },
      with(60s));
}

TEST(StagingGiveUp, FailsWhatIsUnderWayHereAndThere) {
  const NcclDouble cuda;
  local::run(
      3,
      [](Communicator& host) {
        Memory memory(host);
        const auto staged = host.rank() == 1 ? nullptr : stage(host, {.device = host.rank()});
        Communicator& c = staged == nullptr ? host : *staged;
        const auto text = comm_error([&] {
          auto request = c.all_reduce(memory.buffer());
          if (host.rank() == 0) c.give_up("the optimizer is broken");
          request.wait();
          c.barrier().wait();
        });
        expect_match(text, "the optimizer is broken");
      },
      with(60s));
}

TEST(StagingDestructor, DuringAnExceptionGivesUpInsteadOfWaiting) {
  const NcclDouble cuda;
  with_rank_three_absent([](Communicator& c) {
    Memory memory(c);
    try {
      const auto request = c.all_reduce(memory.buffer());
      throw std::runtime_error("elsewhere");
    } catch (const std::runtime_error&) {  // or a CommError: another rank was first
      EXPECT_TRUE(c.poisoned());
    }
  });
}

TEST(StagingDestructor, OfACommunicatorFailsWhatIsUnderWay) {
  const NcclDouble cuda;
  local::run(
      2,
      [](Communicator& host) {
        const OnDevice<float> values(std::vector<float>(4096));
        auto c = stage(host.duplicate(), {.device = host.rank()});
        Request request;
        if (c->rank() == 0) request = c->all_reduce(values.buffer());
        c.reset();
        if (host.rank() == 1) return;
        expect_match(comm_error([&] { request.wait(); }),
                     "the communicator was destroyed while|has left");
      },
      with(60s));
}

TEST(StagingOwners, AreHeldUntilTheCallIsOverAndLetGoAfterAFailure) {
  const NcclDouble cuda;
  with_rank_three_absent([](Communicator& c) {
    if (c.rank() == 1) return c.give_up("the other two fail");
    const auto owner = std::make_shared<OnDevice<float>>(std::vector<float>(4096));
    {
      Buffer values = owner->buffer();
      values.owner = owner;
      Request request;
      EXPECT_NE(comm_error([&] {
                  request = c.all_reduce(std::move(values));
                  EXPECT_GT(owner.use_count(), 1);
                  request.wait(100ms);
                }),
                "no CommError");
    }
    EXPECT_EQ(owner.use_count(), 1);
  });
}

}  // namespace
}  // namespace convoy::comm::nccl
