// SPDX-License-Identifier: Apache-2.0
// Steps that repeat allocate no buffers: what they need is kept from one to the next.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <new>
#include <span>
#include <thread>
#include <vector>

#include "comm/internal/scratch_pool.h"
#include "comm/local/local.h"
#include "comm/tcp/tcp.h"

namespace {

// The small things beside buffers (requests, queues) may come and go.
constexpr std::size_t kBuffer = 1024;
std::atomic<int> buffers_allocated{0};

}  // namespace

void* operator new(std::size_t bytes) {
  if (bytes >= kBuffer) ++buffers_allocated;
  if (void* memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*bytes*/) noexcept { std::free(memory); }

namespace convoy::tests {
namespace {

using comm::Communicator;
using comm::Request;
using comm::internal::Scratch;
using comm::internal::ScratchPool;
using namespace std::chrono_literals;

TEST(ScratchPool, LendsTheSameMemoryAgain) {
  ScratchPool pool;
  const std::byte* before = pool.take(3000).data();
  EXPECT_EQ(pool.take(4000).data(), before);
  const Scratch small = pool.take(2000);
  const Scratch first = pool.take(4096);
  const Scratch second = pool.take(4096);
  EXPECT_EQ(first.data(), before);
  EXPECT_NE(second.data(), before);
  EXPECT_NE(small.data(), before);
  EXPECT_EQ(second.bytes().size(), 4096U);
}

TEST(ScratchPool, MovingALoanLeavesOne) {
  ScratchPool pool;
  Scratch first = pool.take(100);
  const std::byte* place = first.data();
  Scratch second = std::move(first);
  Scratch third;
  third = std::move(second);
  EXPECT_EQ(third.data(), place);
  EXPECT_NE(pool.take(100).data(), place);
  third = {};
  EXPECT_EQ(pool.take(100).data(), place);
  EXPECT_TRUE(pool.take(0).bytes().empty());
}

// One rank's buffers, made before anything is counted.
class Step {
 public:
  explicit Step(Communicator& c) : communicator_(c) {
    for (int r = 0; r < c.size(); ++r) {
      pieces_.push_back(500 + 100 * r);
      from_each_.push_back(400 + 10 * (r + c.rank()));
    }
  }

  void run() {
    Communicator& c = communicator_;
    for (const std::size_t numel : {10, 1000, 30'000, 500'000}) c.all_reduce(front(numel)).wait();
    {
      Request first = c.all_reduce(front(100'000));
      Request second = c.all_reduce(std::span(other_).first(2000));
      second.wait();
      first.wait();
    }
    for (const std::size_t numel : {400, 200'000}) c.broadcast(front(numel), 0).wait();
    const auto own = static_cast<std::size_t>(pieces_[static_cast<std::size_t>(c.rank())]);
    c.all_gather_v(std::span(other_).first(own), front(sum(pieces_)), pieces_).wait();
    const std::size_t exchanged = sum(from_each_);
    c.all_to_all_v(front(exchanged), from_each_, std::span(other_).first(exchanged), from_each_)
        .wait();
    c.barrier().wait();
  }

 private:
  [[nodiscard]] std::span<float> front(std::size_t numel) {
    return std::span(values_).first(numel);
  }
  static std::size_t sum(const std::vector<std::int64_t>& counts) {
    std::size_t total = 0;
    for (const auto count : counts) total += static_cast<std::size_t>(count);
    return total;
  }

  Communicator& communicator_;
  std::vector<float> values_ = std::vector<float>(500'000);
  std::vector<float> other_ = std::vector<float>(20'000);
  std::vector<std::int64_t> pieces_;
  std::vector<std::int64_t> from_each_;
};

// How many more buffers are kept depends on who is how early: at some time there are enough.
void expect_no_allocations(Communicator& c) {
  constexpr int kWindows = 30;
  constexpr int kSteps = 10;
  Step step(c);
  for (int late = 0; late < c.size(); ++late) {
    if (late == c.rank()) std::this_thread::sleep_for(5ms);
    step.run();
  }
  std::int32_t allocated = 0;
  for (int window = 0; window < kWindows; ++window) {
    c.barrier().wait();
    if (c.rank() == 0) buffers_allocated = 0;
    c.barrier().wait();
    for (int i = 0; i < kSteps; ++i) step.run();
    c.barrier().wait();
    allocated = buffers_allocated;
    c.broadcast(std::span(&allocated, 1), 0).wait();
    if (allocated == 0) return;
  }
  ADD_FAILURE() << "rank " << c.rank() << ": " << kSteps << " steps still allocate " << allocated
                << " buffers";
}

TEST(RepeatedSteps, AllocateNoBuffersOnThreads) {
  for (const bool shared_memory : {true, false}) {
    for (const int ranks : {2, 5}) {
      comm::local::run(ranks, expect_no_allocations, {.shared_memory = shared_memory});
    }
  }
}

TEST(RepeatedSteps, AllocateNoBuffersOnSockets) {
  for (const int ranks : {2, 3, 5}) {
    comm::local::run(
        ranks, [](Communicator& bootstrap) { expect_no_allocations(*comm::tcp::make(bootstrap)); });
  }
}

}  // namespace
}  // namespace convoy::tests
