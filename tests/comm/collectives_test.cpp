// SPDX-License-Identifier: Apache-2.0
// Every collective with every element type, on ranks as threads and on MPI ranks.
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "tests/comm/values.h"
#include "tests/comm/worlds.h"

namespace convoy::tests {
namespace {

using comm::Communicator;
using comm::CommunicatorOptions;
using comm::ReduceOp;

struct Case {
  std::size_t chunk_bytes;
  std::vector<std::size_t> sizes;  // elements
};

// Chunks that are odd and small, odd and of a page's order, and larger than every buffer.
const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {101, {0, 1, 3, 1000}}, {30'011, {1000, 100'003}}, {1 << 20, {0, 1, 3, 1000, 100'003}}};
  return all;
}

template <typename T>
class Collectives : public testing::Test {
 protected:
  // `body` gets (communicator, numel) in every world, with every size and chunk size.
  template <typename Check>
  void everywhere(Check body) {
    for (const int ranks : world_sizes()) {
      for (const auto& [chunk_bytes, sizes] : cases()) {
        CommunicatorOptions options;
        options.chunk_bytes = chunk_bytes;
        run_world(
            ranks,
            [&, &numels = sizes](Communicator& communicator) {
              for (const std::size_t numel : numels) body(communicator, numel);
            },
            options);
      }
    }
  }
};

using Types =
    testing::Types<float, Half, BFloat16, double, std::int32_t, std::int64_t, std::uint8_t>;
TYPED_TEST_SUITE(Collectives, Types);

TYPED_TEST(Collectives, AllReduceCombinesInRankOrder) {
  using T = TypeParam;
  this->everywhere([](Communicator& c, std::size_t numel) {
    for (const auto op : {ReduceOp::kSum, ReduceOp::kMin, ReduceOp::kMax, ReduceOp::kMean}) {
      if (op == ReduceOp::kMean && std::is_integral_v<T>) continue;
      auto values = values_of<T>(c.rank(), numel);
      c.all_reduce(std::span(values), op).wait();
      EXPECT_EQ(reduction_difference(values, c.size(), 0, op), "")
          << "rank " << c.rank() << "/" << c.size() << ", " << numel;
    }
  });
}

TYPED_TEST(Collectives, ReduceScatterGivesEachRankItsPiece) {
  using T = TypeParam;
  this->everywhere([](Communicator& c, std::size_t numel) {
    const auto ranks = static_cast<std::size_t>(c.size());
    const auto values = values_of<T>(c.rank(), numel * ranks);
    std::vector<T> piece(numel);
    c.reduce_scatter(std::span(values), std::span(piece)).wait();
    const auto& all = expected_reduction<T>(c.size(), numel * ranks, 0, ReduceOp::kSum);
    const auto own = std::span(all).subspan(numel * static_cast<std::size_t>(c.rank()), numel);
    EXPECT_EQ(first_difference<T>(piece, own), "") << "rank " << c.rank() << ", " << numel;
  });
}

TYPED_TEST(Collectives, AllGatherPutsPiecesInRankOrder) {
  using T = TypeParam;
  this->everywhere([](Communicator& c, std::size_t numel) {
    const auto& piece = values_of<T>(c.rank(), numel);
    std::vector<T> all(numel * static_cast<std::size_t>(c.size()));
    c.all_gather(std::span(piece), std::span(all)).wait();
    for (int r = 0; r < c.size(); ++r) {
      const auto theirs = std::span(all).subspan(numel * static_cast<std::size_t>(r), numel);
      EXPECT_EQ(first_difference<T>(theirs, values_of<T>(r, numel)), "") << r << ", " << numel;
    }
  });
}

TYPED_TEST(Collectives, AllGatherTakesUnequalPieces) {
  using T = TypeParam;
  this->everywhere([](Communicator& c, std::size_t numel) {
    const auto count = [&](int r) { return numel * static_cast<std::size_t>(r); };
    std::vector<std::int64_t> counts;
    for (int r = 0; r < c.size(); ++r) counts.push_back(static_cast<std::int64_t>(count(r)));
    const auto& piece = values_of<T>(c.rank(), count(c.rank()));
    std::vector<T> all(static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), 0L)));
    c.all_gather_v(std::span(piece), std::span(all), counts).wait();
    std::size_t begin = 0;
    for (int r = 0; r < c.size(); begin += count(r++)) {
      const auto theirs = std::span(all).subspan(begin, count(r));
      EXPECT_EQ(first_difference<T>(theirs, values_of<T>(r, count(r))), "") << r << ", " << numel;
    }
  });
}

TYPED_TEST(Collectives, AllToAllSendsPieceRToRankR) {
  using T = TypeParam;
  this->everywhere([](Communicator& c, std::size_t numel) {
    const auto ranks = static_cast<std::size_t>(c.size());
    const auto own = static_cast<std::size_t>(c.rank());
    const auto& from = values_of<T>(c.rank(), numel * ranks);
    std::vector<T> to(from.size());
    c.all_to_all(std::span(from), std::span(to)).wait();
    for (std::size_t r = 0; r < ranks; ++r) {
      const auto& theirs = values_of<T>(static_cast<int>(r), numel * ranks);
      EXPECT_EQ(first_difference<T>(std::span(to).subspan(numel * r, numel),
                                    std::span(theirs).subspan(numel * own, numel)),
                "")
          << "from " << r << " to " << own << ", " << numel;
    }
  });
}

TYPED_TEST(Collectives, AllToAllTakesUnequalPieces) {
  using T = TypeParam;
  this->everywhere([](Communicator& c, std::size_t numel) {
    // Rank a sends numel * ((a + b) % 2) elements to rank b: every second pair nothing.
    const auto count = [&](int a, int b) { return numel * static_cast<std::size_t>((a + b) % 2); };
    std::vector<std::int64_t> counts;
    std::size_t total = 0;
    for (int r = 0; r < c.size(); ++r) {
      counts.push_back(static_cast<std::int64_t>(count(c.rank(), r)));
      total += count(c.rank(), r);
    }
    std::vector<T> from;
    for (int r = 0; r < c.size(); ++r) {
      const auto& part = values_of<T>(c.rank(), count(c.rank(), r), static_cast<std::uint64_t>(r));
      from.insert(from.end(), part.begin(), part.end());
    }
    std::vector<T> to(total);
    c.all_to_all_v(std::span(from), counts, std::span(to), counts).wait();
    std::size_t begin = 0;
    for (int r = 0; r < c.size(); begin += count(r++, c.rank())) {
      const auto& expected =
          values_of<T>(r, count(r, c.rank()), static_cast<std::uint64_t>(c.rank()));
      EXPECT_EQ(first_difference<T>(std::span(to).subspan(begin, expected.size()), expected), "")
          << "from " << r << " to " << c.rank() << ", " << numel;
    }
  });
}

TYPED_TEST(Collectives, BroadcastReachesAllFromEveryRoot) {
  using T = TypeParam;
  this->everywhere([](Communicator& c, std::size_t numel) {
    for (int root = 0; root < c.size(); ++root) {
      auto values = values_of<T>(c.rank(), numel);
      c.broadcast(std::span(values), root).wait();
      EXPECT_EQ(first_difference(values, values_of<T>(root, numel)), "") << root << ", " << numel;
    }
  });
}

TYPED_TEST(Collectives, SendReachesTheMatchingRecv) {
  using T = TypeParam;
  this->everywhere([](Communicator& c, std::size_t numel) {
    const int next = (c.rank() + 1) % c.size();
    const int previous = (c.rank() + c.size() - 1) % c.size();
    const auto& first = values_of<T>(c.rank(), numel, 1);
    const auto& second = values_of<T>(c.rank(), numel, 2);
    std::vector<T> got_first(numel);
    std::vector<T> got_second(numel);
    // Asked for in the other order: the tags tell them apart.
    auto in_second = c.recv(std::span(got_second), previous, 2);
    auto in_first = c.recv(std::span(got_first), previous, 1);
    auto out_first = c.send(std::span(first), next, 1);
    auto out_second = c.send(std::span(second), next, 2);
    for (auto* request : {&out_second, &in_first, &in_second, &out_first}) request->wait();
    EXPECT_EQ(first_difference(got_first, values_of<T>(previous, numel, 1)), "") << numel;
    EXPECT_EQ(first_difference(got_second, values_of<T>(previous, numel, 2)), "") << numel;
  });
}

}  // namespace
}  // namespace convoy::tests
