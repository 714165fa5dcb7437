// SPDX-License-Identifier: Apache-2.0
// Real device memory, streams and order: what the shared tests, on host memory, do not see.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <thread>
#include <vector>

#include "base/errors.h"
#include "comm/local/local.h"
#include "comm/nccl/internal/handles.h"
#include "comm/nccl/nccl.h"
#include "tests/comm/comm_errors.h"
#include "tests/comm/values.h"
#include "tests/nccl_double/nccl_double.h"
#include "tests/nccl_double/on_device.h"

namespace convoy::comm::nccl {
namespace {

using tests::NcclDouble;
using tests::OnDevice;

void run(int ranks, const std::function<void(Communicator&)>& body, const Options& options = {}) {
  local::run(ranks, [&](Communicator& bootstrap) { body(*make(bootstrap, options)); });
}

TEST(NcclMemory, OfTheDeviceIsSummedGatheredAndSent) {
  const NcclDouble cuda;
  run(3, [](Communicator& c) {
    const OnDevice<float> sum(tests::values_of<float>(c.rank(), 1000));
    c.all_reduce(sum.buffer()).wait();
    EXPECT_EQ(tests::reduction_difference(sum.values(), 3, 0, ReduceOp::kSum), "");

    const OnDevice<int> own({c.rank(), c.rank()});
    const OnDevice<int> all(std::vector<int>(6));
    c.all_gather(ConstBuffer(own.buffer()), all.buffer()).wait();
    EXPECT_EQ(all.values(), (std::vector{0, 0, 1, 1, 2, 2}));

    const OnDevice<int> in(std::vector<int>(2));
    auto receiving = c.recv(in.buffer(), (c.rank() + 2) % 3, 7);
    c.send(ConstBuffer(own.buffer()), (c.rank() + 1) % 3, 7).wait();
    receiving.wait();
    EXPECT_EQ(in.values(), std::vector<int>(2, (c.rank() + 2) % 3));
  });
}

// Rank 0 sends nothing and receives from all; rank 2 neither sends nor receives.
TEST(NcclMemory, GoesToRanksThatSendNothing) {
  const NcclDouble cuda;
  run(3, [](Communicator& c) {
    const std::vector<std::vector<std::int64_t>> counts{{0, 0, 0}, {5, 1, 0}, {0, 0, 0}};
    const auto own = static_cast<std::size_t>(c.rank());
    std::vector<std::int64_t> from_counts;
    for (const auto& row : counts) from_counts.push_back(row[own]);
    const auto total = [](const std::vector<std::int64_t>& all) {
      return static_cast<std::size_t>(std::accumulate(all.begin(), all.end(), std::int64_t{0}));
    };
    const OnDevice<int> from(std::vector<int>(total(counts[own]), 10 + c.rank()));
    const OnDevice<int> to(std::vector<int>(total(from_counts), -1));
    c.all_to_all_v(ConstBuffer(from.buffer()), counts[own], to.buffer(), from_counts)
        .wait(std::chrono::seconds(5));
    EXPECT_EQ(to.values(), std::vector<int>(total(from_counts), 11));
  });
}

TEST(NcclMemory, OfTheHostTravelsOverTheBootstrapInTheSameOrderOfPlaces) {
  const NcclDouble cuda;
  run(3, [](Communicator& c) {
    const std::uint64_t places = c.reserve(4, PlaceFor::kAllReduce);
    const OnDevice<float> device(std::vector<float>(100, 1.0F));
    std::vector<double> host(100, 1.0);
    std::vector<double> later(7, 2.0);
    const OnDevice<float> last(std::vector<float>(10, 3.0F));
    std::vector<Request> requests(4);
    const std::vector<std::function<void()>> calls{
        [&] { requests[0] = c.all_reduce(device.buffer(), ReduceOp::kSum, {.place = places}); },
        [&] { requests[1] = c.all_reduce(std::span(host), ReduceOp::kSum, {.place = places + 1}); },
        [&] {
          requests[2] = c.all_reduce(std::span(later), ReduceOp::kSum, {.place = places + 2});
        },
        [&] { requests[3] = c.all_reduce(last.buffer(), ReduceOp::kSum, {.place = places + 3}); }};
    // Another order on every rank.
    for (std::size_t i = 0; i < 4; ++i) calls[(i + static_cast<std::size_t>(c.rank())) % 4]();
    for (Request& request : requests) request.wait();
    EXPECT_EQ(device.values(), std::vector<float>(100, 3.0F));
    EXPECT_EQ(host, std::vector<double>(100, 3.0));
    EXPECT_EQ(later, std::vector<double>(7, 6.0));
    EXPECT_EQ(last.values(), std::vector<float>(10, 9.0F));
  });
}

TEST(NcclMemory, OfTheHostAndTheDeviceDoNotMixInOneCall) {
  const NcclDouble cuda;
  run(2, [](Communicator& c) {
    const OnDevice<float> all(std::vector<float>(4));
    const std::vector<float> own(2);
    EXPECT_THROW(static_cast<void>(c.all_gather(std::span(own), all.buffer())), ContractError);
  });
}

// The double's counters see what lies outside of device memory; NCCL would crash.
TEST(NcclMemory, ThatIsNoneIsAnErrorOfTheCall) {
  NcclDouble cuda;
  run(2, [](Communicator& c) {
    std::vector<float> host(100);
    Buffer wrong{std::span(host)};
    wrong.device = Device::kCuda;
    tests::expect_match(tests::comm_error([&] { c.all_reduce(wrong).wait(); }),
                        "all_reduce rank ./2, 100 float32 .sequence 1.: ncclAllReduce: ");
    EXPECT_TRUE(c.poisoned());
  });
  EXPECT_EQ(cuda.take_counters().wrong_memory, 2);
}

// `body` gets a communicator and values that the caller's stream is still turning into twos.
void with_late_twos(const std::function<void(Communicator&, const OnDevice<float>&)>& body) {
  constexpr std::size_t kNumel = std::size_t{1} << 20;
  const NcclDouble cuda;
  local::run(2, [&](Communicator& bootstrap) {
    EXPECT_EQ(cudaSetDevice(bootstrap.rank()), cudaSuccess);
    const Stream caller = make_stream();
    const auto c = make(bootstrap, {.stream = reinterpret_cast<std::uintptr_t>(caller.get())});
    const OnDevice<float> values(std::vector<float>(kNumel, 1.0F));
    const PinnedMemory twos = make_pinned_memory(kNumel * sizeof(float));
    std::ranges::fill(std::span(reinterpret_cast<float*>(twos.get()), kNumel), 2.0F);
    const DeviceMemory busy = make_device_memory(kNumel * sizeof(float));
    for (int i = 0; i < 20; ++i) {  // the last of them are the twos
      std::byte* target = i < 19 ? busy.get() : values.buffer().bytes.data();
      EXPECT_EQ(cudaMemcpyAsync(target, twos.get(), kNumel * sizeof(float), cudaMemcpyHostToDevice,
                                caller.get()),
                cudaSuccess);
    }
    body(*c, values);
    while (!is_idle(caller)) std::this_thread::yield();
  });
}

// What LibTorch still has to write when the call is made must be there when NCCL reads.
TEST(NcclStream, OfASumComesAfterTheCallersStream) {
  with_late_twos([](Communicator& c, const OnDevice<float>& values) {
    c.all_reduce(values.buffer()).wait();
    EXPECT_EQ(values.values(), std::vector<float>(values.numel(), 4.0F));
  });
}

TEST(NcclStream, OfASendComesAfterTheCallersStream) {
  with_late_twos([](Communicator& c, const OnDevice<float>& values) {
    if (c.rank() == 0) return c.send(ConstBuffer(values.buffer()), 1).wait();
    const OnDevice<float> in(std::vector<float>(values.numel()));
    c.recv(in.buffer(), 0).wait();
    EXPECT_EQ(in.values(), std::vector<float>(in.numel(), 2.0F));
  });
}

// The device's copy comes late; what is sent after it must not leave before it.
TEST(NcclStream, OfASendHoldsLaterSendsOfTheHostBack) {
  with_late_twos([](Communicator& c, const OnDevice<float>& values) {
    std::vector<float> threes(values.numel(), 3.0F);
    if (c.rank() == 0) {
      auto first = c.send(ConstBuffer(values.buffer()), 1);
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

TEST(NcclMemory, OfManySendsArrivesInTheOrderOfTheCalls) {
  constexpr int kRounds = 200;
  constexpr int kSends = 8;
  const NcclDouble cuda;
  run(2, [](Communicator& c) {
    std::vector<int> wrong;
    for (int round = 0; round < kRounds; ++round) {
      std::vector<OnDevice<int>> values;
      for (int i = 0; i < kSends; ++i) values.emplace_back(std::vector{c.rank() == 0 ? i : -1});
      std::vector<Request> requests;
      for (const auto& value : values) {
        requests.push_back(c.rank() == 0 ? c.send(ConstBuffer(value.buffer()), 1)
                                         : c.recv(value.buffer(), 0));
      }
      for (auto& request : requests) request.wait();
      for (int i = 0; i < kSends; ++i) {
        if (values[static_cast<std::size_t>(i)].values().front() != i) wrong.push_back(round);
      }
    }
    EXPECT_EQ(wrong, std::vector<int>());
  });
}

TEST(NcclResults, HaveEqualBitsOnAllRanks) {
  const NcclDouble cuda;
  run(5, [](Communicator& c) {
    auto own = tests::values_of<float>(c.rank(), 1001);
    for (float& value : own) value *= 0.1F;  // sums are not exact any more
    for (const auto op : {ReduceOp::kSum, ReduceOp::kMean}) {
      const OnDevice<float> sum(own);
      c.all_reduce(sum.buffer(), op).wait();
      auto of_root = sum.values();
      c.broadcast(std::span(of_root), 0).wait();
      EXPECT_EQ(tests::first_difference(sum.values(), of_root), "");
    }
  });
}

TEST(NcclSplit, WorksOnDevicesInTheOrderOfKeys) {
  const NcclDouble cuda;
  run(4, [](Communicator& c) {
    const auto part = c.split(c.rank() / 2, -c.rank());
    EXPECT_EQ(part->backend(), "nccl");
    const OnDevice<int> values({part->rank() == 0 ? 10 * c.rank() : -1});
    part->broadcast(values.buffer(), 0).wait();
    EXPECT_EQ(values.values().front(), c.rank() < 2 ? 10 : 30);
  });
}

}  // namespace
}  // namespace convoy::comm::nccl
