// SPDX-License-Identifier: Apache-2.0
// The checked front door, groups and counters, on ranks as threads and on MPI ranks.
#include "comm/communicator.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "base/errors.h"
#include "tests/comm/values.h"
#include "tests/comm/worlds.h"

namespace convoy::tests {
namespace {

using comm::Communicator;
using comm::ReduceOp;

void on_all_worlds(const Body& body) {
  for (const int ranks : world_sizes()) run_world(ranks, body);
}

template <typename Call>
std::string contract_error(Call call) {
  try {
    static_cast<void>(call());
  } catch (const ContractError& error) {
    return error.what();
  }
  return "no ContractError";
}

TEST(CommunicatorChecks, RefuseWhatCannotWork) {
  on_all_worlds([](Communicator& c) {
    std::vector<float> ten(10);
    std::vector<double> doubles(10 * static_cast<std::size_t>(c.size()));
    const auto has = [](const std::string& text, const char* part) {
      EXPECT_NE(text.find(part), std::string::npos) << text;
    };
    has(contract_error([&] { return c.broadcast(std::span(ten), c.size()); }), "no rank");
    has(contract_error([&] { return c.send(std::span(ten), -1); }), "no rank -1");
    std::vector<int> whole(10);
    has(contract_error([&] { return c.all_reduce(std::span(whole), ReduceOp::kMean); }),
        "int32 elements have no mean");
    has(contract_error([&] { return c.recv(std::span(ten), 0, 1 << 14); }), "tag 16384");
    has(contract_error([&] { return c.all_gather(std::span(ten), std::span(doubles)); }),
        "float32 and float64");
    has(contract_error(
            [&] { return c.reduce_scatter(std::span(doubles), std::span(doubles).first(9)); }),
        "elements");
    has(contract_error([&] {
          return c.all_gather_v(std::span(ten), std::span(ten),
                                std::vector<std::int64_t>(static_cast<std::size_t>(c.size()) + 1));
        }),
        "counts given");
    has(contract_error([&] {
          const auto bytes = std::as_writable_bytes(std::span(ten));
          return c.all_reduce(comm::Buffer(bytes.subspan(1, 8), comm::DType::kFloat32));
        }),
        "aligned");
    std::vector<float> some(10 * static_cast<std::size_t>(c.size()) + 1);
    has(contract_error([&] {
          const auto all = std::span(some).first(some.size() - 1);
          return c.all_gather(
              std::span(some).subspan(10 * static_cast<std::size_t>(c.rank()) + 1, 10), all);
        }),
        "overlap");
    comm::Buffer elsewhere{std::span(ten)};
    elsewhere.device = comm::Device::kCuda;
    has(contract_error([&] { return c.all_reduce(elsewhere); }), "does not take memory");
    EXPECT_THROW(static_cast<void>(c.split(-1, 0)), ContractError);
    // Nothing was sent by any of them.
    EXPECT_EQ(c.bytes_sent(), 0U);
    EXPECT_FALSE(c.poisoned());
    c.barrier().wait();
  });
}

TEST(CommunicatorBarrier, WaitsForTheLastRank) {
  std::atomic<int> arrived{0};
  on_all_worlds([&](Communicator& c) {
    // Ranks as threads can see each other arrive; MPI ranks see themselves at least.
    const int before = arrived;
    std::this_thread::sleep_for(std::chrono::milliseconds(5 * c.rank()));
    ++arrived;
    c.barrier().wait();
    EXPECT_GE(arrived, c.backend() == "local" ? c.size() : before + 1);
    c.barrier().wait();
    arrived = 0;
    c.barrier().wait();
  });
}

TEST(CommunicatorBytes, AllReduceSendsTwiceItsShareAndCountsPayload) {
  on_all_worlds([](Communicator& c) {
    const auto ranks = static_cast<std::uint64_t>(c.size());
    std::vector<float> values(static_cast<std::size_t>(60'000));
    c.all_reduce(std::span(values)).wait();
    EXPECT_EQ(c.bytes_sent(), 2 * (ranks - 1) * 240'000 / ranks);
    const std::uint64_t before = c.bytes_sent();
    c.barrier().wait();
    EXPECT_EQ(c.bytes_sent(), before);
  });
}

TEST(CommunicatorGather, PieceMayLieInItsPlaceOfTheResult) {
  on_all_worlds([](Communicator& c) {
    const auto own = static_cast<std::size_t>(c.rank());
    std::vector<int> all(static_cast<std::size_t>(c.size()) * 100, -1);
    const auto piece = std::span(all).subspan(own * 100, 100);
    std::fill(piece.begin(), piece.end(), c.rank());
    c.all_gather(piece, std::span(all)).wait();
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], static_cast<int>(i / 100));
  });
}

TEST(CommunicatorReduceScatter, PieceMayLieInItsPlaceOfTheValues) {
  on_all_worlds([](Communicator& c) {
    std::vector<int> all(static_cast<std::size_t>(c.size()) * 3000, c.rank() + 1);
    const auto piece = std::span(all).subspan(static_cast<std::size_t>(c.rank()) * 3000, 3000);
    c.reduce_scatter(std::span(all), piece).wait();
    for (const int value : piece) EXPECT_EQ(value, c.size() * (c.size() + 1) / 2);
  });
}

TEST(CommunicatorSplit, GroupsByColourAndOrdersByKey) {
  on_all_worlds([](Communicator& c) {
    // Even and odd ranks, each in reverse.
    const auto part = c.split(c.rank() % 2, -c.rank());
    const int members = (c.size() + 1 - c.rank() % 2) / 2;
    EXPECT_EQ(part->size(), members);
    EXPECT_EQ(part->rank(), members - 1 - c.rank() / 2);
    int sum = c.rank();
    part->all_reduce(std::span(&sum, 1)).wait();
    int expected = 0;
    for (int r = c.rank() % 2; r < c.size(); r += 2) expected += r;
    EXPECT_EQ(sum, expected);
    EXPECT_EQ(part->options().timeout, c.options().timeout);
    EXPECT_EQ(part->backend(), c.backend());
  });
}

TEST(CommunicatorSplit, DuplicateHasAnOrderOfItsOwn) {
  on_all_worlds([](Communicator& c) {
    const auto copy = c.duplicate();
    const auto second = copy->duplicate();
    EXPECT_EQ(copy->rank(), c.rank());
    EXPECT_EQ(second->size(), c.size());
    auto a = values_of<float>(c.rank(), 5000, 1);
    auto b = values_of<float>(c.rank(), 5000, 2);
    // Odd ranks start the two collectives the other way round.
    comm::Request first;
    comm::Request other;
    if (c.rank() % 2 == 0) first = c.all_reduce(std::span(a));
    other = copy->all_reduce(std::span(b));
    if (c.rank() % 2 != 0) first = c.all_reduce(std::span(a));
    first.wait();
    other.wait();
    EXPECT_EQ(first_difference(a, expected_reduction<float>(c.size(), 5000, 1, ReduceOp::kSum)),
              "");
    EXPECT_EQ(first_difference(b, expected_reduction<float>(c.size(), 5000, 2, ReduceOp::kSum)),
              "");
  });
}

}  // namespace
}  // namespace convoy::tests
