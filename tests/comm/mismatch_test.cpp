// SPDX-License-Identifier: Apache-2.0
// Ranks whose calls do not fit together.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "comm/local/local.h"
#include "tests/comm/comm_errors.h"

namespace convoy::tests {
namespace {

using comm::Communicator;
using comm::ReduceOp;
using namespace std::chrono_literals;

TEST(Mismatch, OfSizesIsFoundAtOnce) {
  // (rank 0, others): one message each; one against several; several of equal chunks.
  const std::vector<std::pair<std::size_t, std::size_t>> cases{
      {1000, 1001}, {1000, 100'000}, {100'000, 1000}, {12'288, 24'576}, {24'576, 12'288}};
  for (const auto& [numel, others] : cases) {
    std::atomic<int> named{0};
    const auto start = std::chrono::steady_clock::now();
    comm::local::run(
        3,
        [&, numel = numel, others = others](Communicator& c) {
          std::vector<float> values(c.rank() == 0 ? numel : others);
          const auto text = comm_error([&] { c.all_reduce(std::span(values)).wait(); });
          expect_match(text, "all_reduce rank ./3, [0-9]+ float32 .*rank [0-2]");
          if (text.find("bytes where") != std::string::npos) ++named;
        },
        with(60s, 4096));
    EXPECT_GE(named, 1) << numel << " against " << others;
    EXPECT_LT(std::chrono::steady_clock::now() - start, 20s);
  }
}

TEST(Mismatch, OfSendAndRecvNamesBothSizes) {
  for (const std::size_t sent : {0, 7, 9, 100'000}) {
    comm::local::run(2, [&](Communicator& c) {
      std::vector<float> values(c.rank() == 0 ? sent : 8);
      if (c.rank() == 0) {
        // Over at once when small; a larger one may learn that its receiver has failed.
        static_cast<void>(comm_error([&] { c.send(std::span(values), 1).wait(); }));
        return;
      }
      EXPECT_EQ(comm_error([&] { c.recv(std::span(values), 0).wait(); }),
                "recv rank 1/2, 8 float32: rank 0 sent " + std::to_string(sent * 4) +
                    " bytes where 32 were expected");
    });
  }
}

/// What the ranks say, one line each, when the odd one out makes a call of its own.
template <typename Call>
std::string errors_of(int ranks, const Call& call) {
  std::vector<std::string> errors(static_cast<std::size_t>(ranks));
  comm::local::run(
      ranks,
      [&](Communicator& c) {
        errors[static_cast<std::size_t>(c.rank())] = comm_error([&] { call(c); });
      },
      with(60s, 4096));
  std::string all;
  for (const auto& error : errors) all += error + "\n";
  return all;
}

// Short ones travel with their header, long ones behind it.
constexpr std::array<std::size_t, 2> kLengths{8, 60'000};

TEST(Mismatch, OfElementTypesOfEqualSizeNamesBoth) {
  for (const std::size_t numel : kLengths) {
    const auto text = errors_of(3, [&](Communicator& c) {
      std::vector<float> floats(numel);
      std::vector<std::int32_t> integers(numel);
      if (c.rank() == 1) return c.all_reduce(std::span(integers)).wait();
      c.all_reduce(std::span(floats)).wait();
    });
    expect_match(text,
                 "float32 .sequence 1.: rank 1 has int32 elements where this rank has float32|"
                 "int32 .sequence 1.: rank [02] has float32 elements where this rank has int32");
    EXPECT_EQ(text.find("no CommError"), std::string::npos) << text;
  }
}

TEST(Mismatch, OfReductionsNamesBoth) {
  for (const std::size_t numel : kLengths) {
    const auto text = errors_of(2, [&](Communicator& c) {
      std::vector<float> values(numel);
      c.all_reduce(std::span(values), c.rank() == 0 ? ReduceOp::kMin : ReduceOp::kMax).wait();
    });
    expect_match(text,
                 "rank 1 takes the maximum where this rank takes the minimum|"
                 "rank 0 takes the minimum where this rank takes the maximum");
    EXPECT_EQ(text.find("no CommError"), std::string::npos) << text;
  }
}

TEST(Mismatch, OfElementTypesIsFoundWhereNothingIsReduced) {
  const auto broadcast = errors_of(2, [](Communicator& c) {
    std::vector<double> doubles(100);
    std::vector<std::int64_t> integers(100);
    if (c.rank() == 0) return c.broadcast(std::span(doubles), 0).wait();
    c.broadcast(std::span(integers), 0).wait();
  });
  expect_match(broadcast, "rank 0 has float64 elements where this rank has int64");
  const auto received = errors_of(2, [](Communicator& c) {
    std::vector<Half> halves(100);
    std::vector<BFloat16> others(100);
    if (c.rank() == 0) return c.send(std::span(halves), 1).wait();
    c.recv(std::span(others), 0).wait();
  });
  expect_match(received,
               "recv rank 1/2, 100 bfloat16: rank 0 has float16 elements where this rank has "
               "bfloat16");
}

}  // namespace
}  // namespace convoy::tests
