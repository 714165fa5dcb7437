// SPDX-License-Identifier: Apache-2.0
// Device memory over a communicator of host memory: who meets whom, in which order, and what is
// copied.
#include "comm/nccl/staging.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <numeric>
#include <set>
#include <span>
#include <thread>
#include <vector>

#include "base/errors.h"
#include "comm/local/local.h"
#include "comm/nccl/internal/pinned_pool.h"
#include "comm/nccl/internal/send_turns.h"
#include "comm/nccl/nccl.h"
#include "tests/comm/comm_errors.h"
#include "tests/comm/values.h"
#include "tests/nccl_double/nccl_double.h"
#include "tests/nccl_double/on_device.h"

namespace convoy::comm::nccl {
namespace {

using tests::NcclDouble;
using tests::OnDevice;
using tests::values_of;
using namespace std::chrono_literals;

// Values on the device or on the host, as the rank has them.
template <typename T>
class Values {
 public:
  Values(bool on_device, std::vector<T> values)
      : on_device_(on_device),
        host_(std::move(values)),
        device_(on_device ? host_ : decltype(host_)()) {}
  [[nodiscard]] Buffer buffer() { return on_device_ ? device_.buffer() : Buffer(std::span(host_)); }
  [[nodiscard]] Buffer part(std::size_t first, std::size_t numel) {
    Buffer all = buffer();
    all.bytes = all.bytes.subspan(first * sizeof(T), numel * sizeof(T));
    return all;
  }
  [[nodiscard]] std::vector<T> values() const { return on_device_ ? device_.values() : host_; }

 private:
  bool on_device_;
  std::vector<T> host_;
  OnDevice<T> device_;
};

// Ranks of `on_device` have their values there. @return what each rank had in the end.
using Body = std::function<std::vector<float>(Communicator&, bool on_device)>;
std::vector<std::vector<float>> run(int ranks, const std::set<int>& on_device, const Body& body,
                                    const StagingOptions& options = {},
                                    const CommunicatorOptions& of_host = {}) {
  std::vector<std::vector<float>> results(static_cast<std::size_t>(ranks));
  local::run(
      ranks,
      [&](Communicator& host) {
        auto& result = results[static_cast<std::size_t>(host.rank())];
        if (!on_device.contains(host.rank())) {
          result = body(host, false);
          return;
        }
        auto chosen = options;
        chosen.device = host.rank();
        result = body(*stage(host, chosen), true);
      },
      of_host);
  return results;
}

void append(std::vector<float>& all, const std::vector<float>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

// Every kind of call, in place where that is allowed too, with several under way.
std::vector<float> call_everything(Communicator& c, bool on_device) {
  std::vector<float> all;
  const auto n = static_cast<std::size_t>(c.size());
  const auto rank = static_cast<std::size_t>(c.rank());
  for (const std::size_t numel : {std::size_t{1}, std::size_t{300}, std::size_t{50'000}}) {
    Values<float> sum(on_device, values_of<float>(c.rank(), numel, 1));
    Values<float> mean(on_device, values_of<float>(c.rank(), numel, 2));
    Values<float> scattered(on_device, values_of<float>(c.rank(), numel * n, 3));
    Values<float> piece(on_device, std::vector<float>(numel));
    Values<float> in_place(on_device, values_of<float>(c.rank(), numel * n, 4));
    Values<float> own(on_device, values_of<float>(c.rank(), numel, 5));
    Values<float> gathered(on_device, std::vector<float>(numel * n));
    Values<float> gathered_in_place(on_device, values_of<float>(c.rank(), numel * n, 6));
    Values<float> from(on_device, values_of<float>(c.rank(), numel * n, 7));
    Values<float> to(on_device, std::vector<float>(numel * n));
    Values<float> cast(on_device, values_of<float>(c.rank(), numel, 8));
    std::vector<Request> requests;
    requests.push_back(c.all_reduce(sum.buffer()));
    requests.push_back(c.all_reduce(mean.buffer(), ReduceOp::kMean));
    requests.push_back(c.reduce_scatter(scattered.buffer(), piece.buffer()));
    requests.push_back(c.reduce_scatter(in_place.buffer(), in_place.part(rank * numel, numel)));
    requests.push_back(c.all_gather(own.buffer(), gathered.buffer()));
    requests.push_back(
        c.all_gather(gathered_in_place.part(rank * numel, numel), gathered_in_place.buffer()));
    requests.push_back(c.all_to_all(from.buffer(), to.buffer()));
    requests.push_back(c.broadcast(cast.buffer(), static_cast<int>(numel % n)));
    requests.push_back(c.barrier());
    for (auto& request : requests) request.wait();
    for (const auto* values : {&sum, &mean, &piece, &gathered, &gathered_in_place, &to, &cast}) {
      append(all, values->values());
    }
    const auto slots = in_place.values();
    append(all, {slots.begin() + static_cast<std::ptrdiff_t>(rank * numel),
                 slots.begin() + static_cast<std::ptrdiff_t>((rank + 1) * numel)});
  }
  return all;
}

std::vector<float> send_around(Communicator& c, bool on_device) {
  std::vector<float> all;
  const int next = (c.rank() + 1) % c.size();
  const int last = (c.rank() + c.size() - 1) % c.size();
  for (const std::size_t numel : {std::size_t{0}, std::size_t{5}, std::size_t{70'000}}) {
    Values<float> out(on_device, values_of<float>(c.rank(), numel, 9));
    Values<float> in(on_device, std::vector<float>(numel));
    auto receiving = c.recv(in.buffer(), last, 3);
    auto sending = c.send(out.buffer(), next, 3);
    receiving.wait();
    sending.wait();
    append(all, in.values());
  }
  return all;
}

// Rank r gives r * 1000 values, and rank 0 nothing.
std::vector<float> gather_unequal(Communicator& c, bool on_device) {
  std::vector<std::int64_t> counts;
  for (int r = 0; r < c.size(); ++r) counts.push_back(1000 * r);
  const auto total = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  const auto numel = static_cast<std::size_t>(1000 * c.rank());
  Values<float> own(on_device, values_of<float>(c.rank(), numel, 10));
  Values<float> all(on_device, std::vector<float>(static_cast<std::size_t>(total)));
  c.all_gather_v(own.buffer(), all.buffer(), counts).wait();
  return all.values();
}

TEST(Staging, GivesMixedRanksTheBitsOfRanksOnHosts) {
  for (const auto& body : {Body(call_everything), Body(send_around), Body(gather_unequal)}) {
    for (const bool shared_memory : {true, false}) {
      const CommunicatorOptions options{.shared_memory = shared_memory};
      const auto expected = run(4, {}, body, {}, options);
      ASSERT_GT(expected.back().size(), 1000U);
      for (const auto delay : {0us, 2000us}) {
        const NcclDouble cuda({.longest_copy_delay = delay});
        EXPECT_TRUE(run(4, {0, 2}, body, {}, options) == expected);
        EXPECT_TRUE(run(4, {0, 1, 2, 3}, body, {}, options) == expected);
        EXPECT_TRUE(run(4, {1, 3}, body, {.direct = true}, options) == expected);
      }
    }
  }
}

TEST(Staging, SaysWhatTheHostSays) {
  const NcclDouble cuda;
  local::run(2, [](Communicator& host) {
    const auto c = stage(host, {.device = 3});
    EXPECT_EQ(c->backend(), "local");
    EXPECT_EQ(device_of(*c), 3);
    EXPECT_EQ(c->sums_in_messages(), host.sums_in_messages());
    const OnDevice<float> values(std::vector<float>(1000, 1.0F));
    c->all_reduce(values.buffer()).wait();
    EXPECT_GT(c->bytes_sent(), 0U);
    EXPECT_EQ(c->bytes_sent(), host.bytes_sent());
    EXPECT_EQ(device_of(*c->split(0, -c->rank())), 3);
  });
}

// Values that the caller's stream is still turning into twos.
void with_late_twos(const std::function<void(Communicator&, const OnDevice<float>&)>& body,
                    bool direct = false) {
  constexpr std::size_t kNumel = 10'000;
  const NcclDouble cuda({.longest_copy_delay = 2000us});
  local::run(2, [&](Communicator& host) {
    EXPECT_EQ(cudaSetDevice(host.rank()), cudaSuccess);
    const Stream caller = make_stream();
    const auto c = stage(host, {.stream = reinterpret_cast<std::uintptr_t>(caller.get()),
                                .device = host.rank(),
                                .direct = direct});
    const OnDevice<float> values(std::vector<float>(kNumel, 1.0F));
    const PinnedMemory twos = make_pinned_memory(kNumel * sizeof(float));
    std::ranges::fill(std::span(reinterpret_cast<float*>(twos.get()), kNumel), 2.0F);
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(cudaMemcpyAsync(values.buffer().bytes.data(), twos.get(), kNumel * sizeof(float),
                                cudaMemcpyHostToDevice, caller.get()),
                cudaSuccess);
    }
    body(*c, values);
    while (!is_idle(caller)) std::this_thread::yield();
  });
}

TEST(StagingStream, OfASumComesAfterTheCallersStream) {
  with_late_twos([](Communicator& c, const OnDevice<float>& values) {
    c.all_reduce(values.buffer()).wait();
    EXPECT_EQ(values.values(), std::vector<float>(values.numel(), 4.0F));
  });
}

TEST(StagingStream, OfADirectSendComesAfterTheCallersStream) {
  const auto body = [](Communicator& c, const OnDevice<float>& values) {
    if (c.rank() == 0) return c.send(values.buffer(), 1).wait();
    const OnDevice<float> in{std::vector<float>(values.numel())};
    c.recv(in.buffer(), 0).wait();
    EXPECT_EQ(in.values(), std::vector<float>(in.numel(), 2.0F));
  };
  with_late_twos(body, false);
  with_late_twos(body, true);
}

// What the caller's stream writes there before the call must not come after the result.
TEST(StagingStream, OfAResultComesAfterTheCallersStream) {
  for (const bool direct : {false, true}) {
    with_late_twos(
        [](Communicator& c, const OnDevice<float>& values) {
          std::vector<float> threes(values.numel(), 3.0F);
          auto sending = c.send(std::span<const float>(threes), 1 - c.rank());
          c.recv(values.buffer(), 1 - c.rank()).wait();
          sending.wait();
          std::this_thread::sleep_for(50ms);
          EXPECT_EQ(values.values(), threes);
        },
        direct);
  }
}

TEST(StagingStream, OfASendHoldsLaterSendsOfTheHostBack) {
  with_late_twos([](Communicator& c, const OnDevice<float>& values) {
    std::vector<float> threes(values.numel(), 3.0F);
    if (c.rank() == 0) {
      auto first = c.send(values.buffer(), 1);
      c.send(std::span<const float>(threes), 1).wait();
      return first.wait();
    }
    std::vector<float> one(values.numel());
    std::vector<float> two(values.numel());
    auto first = c.recv(std::span(one), 0);
    c.recv(std::span(two), 0).wait();
    first.wait();
    EXPECT_EQ(one, std::vector<float>(values.numel(), 2.0F));
    EXPECT_EQ(two, threes);
  });
}

// Rank 1 waits for the sum before it comes to what rank 0 waits for.
void with_a_sum_under_way(const std::function<void(Communicator&)>& meet) {
  const NcclDouble cuda({.longest_copy_delay = 20ms});
  local::run(
      2,
      [&](Communicator& host) {
        std::vector<float> ones(5000, 1.0F);
        if (host.rank() == 1) {
          host.all_reduce(std::span(ones)).wait();
          return meet(host);
        }
        const auto c = stage(host, {.device = 0});
        const OnDevice<float> values(ones);
        auto request = c->all_reduce(values.buffer());
        meet(*c);
        request.wait();
        EXPECT_EQ(values.values(), std::vector<float>(5000, 2.0F));
      },
      tests::with(20s));
}

TEST(StagingProgress, IsMadeByWaitingForAnotherRequest) {
  with_a_sum_under_way([](Communicator& c) { c.barrier().wait(); });
  with_a_sum_under_way([](Communicator& c) {
    std::vector<int> value{c.rank()};
    auto request = c.broadcast(std::span(value), 1);
    while (!request.test()) std::this_thread::yield();
    EXPECT_EQ(value.front(), 1);
  });
}

TEST(StagingProgress, IsMadeBeforeASplit) {
  with_a_sum_under_way([](Communicator& c) { c.duplicate()->barrier().wait(); });
}

// It is the context of the call that counts, though the copy is there later.
TEST(StagingContext, IsThatOfTheCall) {
  const NcclDouble cuda({.longest_copy_delay = 2ms});
  run(2, {0}, [](Communicator& c, bool on_device) {
    Values<float> one(on_device, std::vector<float>(5000, 1.0F));
    Values<float> two(on_device, std::vector<float>(5000, 2.0F));
    c.set_context(7);
    auto first = c.all_reduce(one.buffer());
    c.set_context(8);
    auto second = c.all_reduce(two.buffer());
    first.wait();
    second.wait();
    EXPECT_EQ(two.values(), std::vector<float>(5000, 4.0F));
    return one.values();
  });
}

TEST(StagingPool, IsUsedAgain) {
  const NcclDouble cuda;
  run(2, {0, 1}, [&](Communicator& c, bool on_device) {
    Values<float> values(on_device, std::vector<float>(5000, 1.0F));
    c.all_reduce(values.buffer()).wait();
    c.barrier().wait();
    const int blocks = cuda.counters().pinned_blocks;
    EXPECT_GT(blocks, 0);
    c.barrier().wait();
    for (int i = 0; i < 20; ++i) c.all_reduce(values.part(0, 5000 - 10U * i)).wait();
    c.barrier().wait();
    EXPECT_EQ(cuda.counters().pinned_blocks, blocks);
    EXPECT_EQ(cuda.counters().pinned_frees, 0);
    c.barrier().wait();
    return values.values();
  });
}

TEST(StagingPool, KeepsLargeBlocksForLargeNeeds) {
  const NcclDouble cuda;
  const auto pool = std::make_shared<PinnedPool>();
  const std::byte* large = pool->take(1 << 20).get();
  const auto small = pool->take(100);
  EXPECT_NE(small.get(), large);
  EXPECT_EQ(pool->take((1 << 20) - 5000).get(), large);
  EXPECT_EQ(pool->take(0), nullptr);
}

// Long moves go without a copy on the host, others with one.
TEST(StagingDirect, CopiesOnlyWhatTheCpuTouches) {
  const auto pinned = [](const std::function<void(Communicator&)>& call) {
    const NcclDouble cuda;
    local::run(2, [&](Communicator& host) {
      call(*stage(host, {.device = host.rank(), .direct = true}));
    });
    const auto counters = cuda.counters();
    return counters.pinned_blocks + counters.pinned_frees;
  };
  const auto pass = [](std::size_t numel) {
    return [numel](Communicator& c) {
      const OnDevice<float> out(values_of<float>(c.rank(), numel));
      const OnDevice<float> in{std::vector<float>(numel)};
      auto sending = c.send(out.buffer(), 1 - c.rank());
      c.recv(in.buffer(), 1 - c.rank()).wait();
      sending.wait();
      EXPECT_EQ(in.values(), values_of<float>(1 - c.rank(), numel));
    };
  };
  EXPECT_EQ(pinned(pass(100'000)), 0);
  EXPECT_GT(pinned(pass(512)), 0);  // 2 KiB ride along with their header
  EXPECT_EQ(pinned(pass(513)), 0);
  EXPECT_EQ(pinned([](Communicator& c) {
              const OnDevice<float> values(values_of<float>(c.rank(), 100'000));
              c.broadcast(values.buffer(), 1).wait();
              EXPECT_EQ(values.values(), values_of<float>(1, 100'000));
            }),
            0);
  EXPECT_EQ(pinned([](Communicator& c) {
              const OnDevice<float> own(values_of<float>(c.rank(), 3000));
              const OnDevice<float> all(std::vector<float>(6000));
              c.all_gather(own.buffer(), all.buffer()).wait();
              auto expected = values_of<float>(0, 3000);
              append(expected, values_of<float>(1, 3000));
              EXPECT_EQ(all.values(), expected);
            }),
            0);
  EXPECT_GT(pinned([](Communicator& c) {
              const OnDevice<float> values(std::vector<float>(3000, 1.0F));
              c.all_reduce(values.buffer()).wait();
              EXPECT_EQ(values.values(), std::vector<float>(3000, 2.0F));
            }),
            0);
}

TEST(SendTurns, ForgetWhatHasEnded) {
  SendTurns turns;
  auto kept = turns.take(1, 5);
  for (int tag = 10; tag < 1000; ++tag) turns.take(0, tag).end();
  EXPECT_LT(turns.size(), 40U);
  EXPECT_FALSE(turns.is_free(1, 5));
  EXPECT_FALSE(turns.take(1, 5).has_come());
  kept.end();
  EXPECT_TRUE(turns.is_free(1, 5));
}

}  // namespace
}  // namespace convoy::comm::nccl
